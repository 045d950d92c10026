"""Vendors whose models are asked in more than OpenAI's chat dialect, a row each.

From the vendors' documentation; no vendor was called to try what is said here.
"""

from infway.providers.openai.history import EXTENSIONS
from infway.providers.vendor import FOREIGN, NEW_LIMIT, Route, Vendor

# The other models that answer where the first one fails or refuses
_FALLBACKS = frozenset({"fallbacks"})
_AWS_REGION = ("AWS_REGION", "AWS_DEFAULT_REGION")
_AWS_NOTE = (
    "Needs either a Bedrock API key or the keys of an AWS account "
    "(`aws`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."
)

# OpenAI's models that continue texts and hold no conversation
_TEXT_MODELS = ("gpt-3.5-turbo-instruct*", "*babbage-002*", "*davinci-002*")

NATIVE: tuple[Vendor, ...] = (
    Vendor(
        "openai",
        "OpenAI",
        "https://api.openai.com/v1",
        ("OPENAI_API_KEY",),
        "openai",
        rename=NEW_LIMIT,  # reasoning models refuse max_tokens, every model takes the newer name
        drop=FOREIGN,
        refuses=EXTENSIONS,
        routes=(
            Route("responses", "/responses", ("o1-pro*", "o3-pro*", "*-codex*"), "responses"),
            Route("completions", "/completions", _TEXT_MODELS, "completion"),
        ),
    ),
    Vendor(
        "azure",
        "Azure OpenAI, v1 API",
        None,
        ("AZURE_OPENAI_API_KEY",),
        "azure",
        chat_path="/openai/v1/chat/completions",
        models_path="/openai/v1/models",
        auth="header:api-key",
        rename=NEW_LIMIT,
        drop=FOREIGN,
        refuses=EXTENSIONS,
        own_names=True,
        routes=(
            Route("responses", "/openai/v1/responses", mode="responses"),
            Route("completions", "/openai/v1/completions", mode="completion"),
        ),
        note="A deployment that is served by Responses alone gets `dialect: responses`, one that "
        "continues texts `dialect: completions`.",
    ),
    Vendor(
        "azure-anthropic",
        "Microsoft Foundry, Claude",
        None,
        ("AZURE_ANTHROPIC_API_KEY", "ANTHROPIC_FOUNDRY_API_KEY"),
        "azure_ai",
        dialect="anthropic",
        chat_path="/v1/messages",
        auth="header:x-api-key",
        own_names=True,
        routing=_FALLBACKS,
        note="`base_url` is https://RESOURCE.services.ai.azure.com/anthropic.",
    ),
    Vendor(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com",
        ("ANTHROPIC_API_KEY",),
        "anthropic",
        dialect="anthropic",
        chat_path="/v1/messages",
        models_path="/v1/models",
        auth="header:x-api-key",
        routing=_FALLBACKS,
    ),
    Vendor(
        "gemini",
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        "gemini",
        dialect="gemini",
        chat_path="/models/{model}:{action}",
        auth="header:x-goog-api-key",
    ),
    Vendor(
        "vertex",
        "Google Vertex AI",
        "https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}",
        (),
        "vertex_ai",
        dialect="gemini",
        chat_path="/publishers/google/models/{model}:{action}",
        cloud="google",
        routing=_FALLBACKS,
        region="global",
        region_env=("GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION"),
        project_env=("GOOGLE_CLOUD_PROJECT",),
        skip=("mistral*", "codestral*", "jamba*", "chirp*", "ft:*"),
        routes=(
            Route(
                "anthropic",
                "/publishers/anthropic/models/{model}:{action}",
                ("claude*",),
                defaults={"anthropic_version": "vertex-2023-10-16"},
            ),
            Route("openai", "/endpoints/openapi/chat/completions", ("*/*",)),
        ),
        note="Needs `project` (or GOOGLE_CLOUD_PROJECT) and the extra `google`: "
        "`pip install infway[google]`, or `make install-google`; images have it. Models of other makers are named `maker/model`.",
    ),
    Vendor(
        "bedrock",
        "Amazon Bedrock",
        "https://bedrock-runtime.{region}.amazonaws.com",
        ("AWS_BEARER_TOKEN_BEDROCK",),
        "bedrock",
        dialect="bedrock",
        chat_path="/model/{model}/{action}",
        cloud="aws",
        region="us-east-1",
        region_env=_AWS_REGION,
        skip=("*/*", "ft:*"),
        note=_AWS_NOTE,
    ),
    Vendor(
        "bedrock-invoke",
        "Amazon Bedrock, Claude by InvokeModel",
        "https://bedrock-runtime.{region}.amazonaws.com",
        ("AWS_BEARER_TOKEN_BEDROCK",),
        "bedrock",
        dialect="bedrock-invoke",
        chat_path="/model/{model}/{action}",
        defaults={"anthropic_version": "bedrock-2023-05-31"},
        cloud="aws",
        region="us-east-1",
        region_env=_AWS_REGION,
        own_names=True,
        note=_AWS_NOTE + " For what Converse cannot say to Claude.",
    ),
    Vendor(
        "bedrock-mantle",
        "Amazon Bedrock, OpenAI's API",
        "https://bedrock-mantle.{region}.api.aws/v1",
        ("BEDROCK_MANTLE_API_KEY",),
        "bedrock_mantle",
        region="us-east-1",
        region_env=_AWS_REGION,
        routes=(Route("responses", "/responses", mode="responses"),),
        own_names=True,
    ),
    Vendor(
        "cohere",
        "Cohere",
        "https://api.cohere.com",
        ("COHERE_API_KEY", "CO_API_KEY"),
        "cohere_chat",
        dialect="cohere",
        chat_path="/v2/chat",
    ),
)
