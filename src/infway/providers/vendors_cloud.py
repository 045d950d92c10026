"""Vendors in the cloud, a row each, from the vendors' documentation and from the litellm list.

No vendor was called to try what is said here. The first variable is the one the vendor's
documentation names; others are in wide use.
"""

from infway.providers.openai.history import EXTENSIONS
from infway.providers.vendor import FOREIGN, NEW_LIMIT, OLD_LIMIT, Route, Vendor

_AZURE_TEXTS = "/openai/deployments/{model}/completions?api-version={api_version}"

CLOUD: tuple[Vendor, ...] = (
    Vendor(
        "azure-deployments",
        "Azure OpenAI, dated API versions",
        None,
        ("AZURE_OPENAI_API_KEY",),
        "azure",
        chat_path="/openai/deployments/{model}/chat/completions?api-version={api_version}",
        auth="header:api-key",
        rename=NEW_LIMIT,
        drop=FOREIGN,
        refuses=EXTENSIONS,
        api_version="2024-10-21",  # the last dated version that is generally available
        own_names=True,
        routes=(Route("completions", _AZURE_TEXTS, mode="completion"),),
    ),
    Vendor(
        "mistral",
        "Mistral AI",
        "https://api.mistral.ai/v1",
        ("MISTRAL_API_KEY",),
        "mistral",
        refuses=EXTENSIONS,
        rename={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
        # It answers 422 to every field it does not know, and streams the usage unasked.
        drop=frozenset(
            {"stream_options", "user", "logit_bias", "logprobs", "top_logprobs", "store"}
            | {"service_tier", "modalities", "audio", "verbosity", "web_search_options"}
            | (FOREIGN - {"safe_prompt"})
        ),
    ),
    Vendor(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com/v1",
        ("DEEPSEEK_API_KEY",),
        "deepseek",
        rename=OLD_LIMIT,
    ),
    Vendor("xai", "xAI", "https://api.x.ai/v1", ("XAI_API_KEY",), "xai"),
    Vendor(
        "voyage",
        "Voyage AI",
        "https://api.voyageai.com/v1",
        ("VOYAGE_API_KEY",),
        "voyage",
        skip=("voyage-context*", "voyage-multimodal*"),  # these have addresses of their own
        note="Embeddings and rerank alone.",
    ),
    Vendor("jina", "Jina AI", "https://api.jina.ai/v1", ("JINA_API_KEY",), "jina_ai"),
    Vendor(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        ("GROQ_API_KEY",),
        "groq",
        refuses=EXTENSIONS - {"reasoning"},
        routing=frozenset({"compound_custom"}),
        # It answers 400 to these.
        drop=FOREIGN | {"logit_bias", "logprobs", "top_logprobs", "n"},
    ),
    Vendor(
        "cerebras",
        "Cerebras",
        "https://api.cerebras.ai/v1",
        ("CEREBRAS_API_KEY",),
        "cerebras",
        refuses=EXTENSIONS - {"reasoning"},
        # It answers 400 to these.
        drop=FOREIGN | {"frequency_penalty", "presence_penalty", "logit_bias", "service_tier"},
    ),
    Vendor(
        "sambanova",
        "SambaNova",
        "https://api.sambanova.ai/v1",
        ("SAMBANOVA_API_KEY",),
        "sambanova",
        rename=OLD_LIMIT,
    ),
    Vendor(
        "together",
        "Together AI",
        "https://api.together.ai/v1",
        ("TOGETHER_API_KEY",),
        "together_ai",
        rename=OLD_LIMIT,
        routes=(Route("completions", "/completions", mode="completion"),),
    ),
    Vendor(
        "fireworks",
        "Fireworks AI",
        "https://api.fireworks.ai/inference/v1",
        ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
        "fireworks_ai",
        rename=OLD_LIMIT,
    ),
    Vendor(
        "deepinfra",
        "DeepInfra",
        "https://api.deepinfra.com/v1/openai",
        ("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
        "deepinfra",
        rename=OLD_LIMIT,
    ),
    Vendor(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        ("OPENROUTER_API_KEY",),
        "openrouter",
        # Paid for with the requests' data, limited to few a day, second names of other models.
        skip=("*-contributor", "*:free", "~*"),
        routing=frozenset({"models", "fallbacks", "route", "preset", "plugins"}),
        speaks={"anthropic": "/messages"},
    ),
    Vendor(
        "perplexity",
        "Perplexity",
        "https://api.perplexity.ai",
        ("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"),
        "perplexity",
        rename=OLD_LIMIT,
        routing=frozenset({"models", "preset"}),  # of its Responses
    ),
    Vendor(
        "nebius",
        "Nebius Token Factory",
        "https://api.tokenfactory.nebius.com/v1",
        ("NEBIUS_API_KEY",),
        "nebius",
    ),
    Vendor(
        "novita",
        "Novita AI",
        "https://api.novita.ai/v3/openai",
        ("NOVITA_API_KEY",),
        "novita",
        rename=OLD_LIMIT,
    ),
    Vendor(
        "hyperbolic",
        "Hyperbolic",
        "https://api.hyperbolic.xyz/v1",
        ("HYPERBOLIC_API_KEY",),
        "hyperbolic",
        rename=OLD_LIMIT,
    ),
    Vendor(
        "nvidia",
        "NVIDIA NIM",
        "https://integrate.api.nvidia.com/v1",
        ("NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"),
        rename=OLD_LIMIT,
    ),
    Vendor("huggingface", "Hugging Face", "https://router.huggingface.co/v1", ("HF_TOKEN",)),
    Vendor(
        "moonshot",
        "Moonshot AI",
        "https://api.moonshot.ai/v1",
        ("MOONSHOT_API_KEY",),
        "moonshot",
        rename=OLD_LIMIT,
    ),
    Vendor(
        "zai",
        "Z.ai",
        "https://api.z.ai/api/paas/v4",
        ("ZAI_API_KEY",),
        "zai",
        rename=OLD_LIMIT,
    ),
    Vendor(
        "dashscope",
        "Alibaba Model Studio",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        ("DASHSCOPE_API_KEY",),
        "dashscope",
        rename=OLD_LIMIT,
        thoughts_beside=("*",),  # `thinking_budget` limits these, says its reference
    ),
    Vendor("minimax", "MiniMax", "https://api.minimax.io/v1", ("MINIMAX_API_KEY",), "minimax"),
    Vendor(
        "volcengine",
        "Volcengine Ark",
        "https://ark.cn-beijing.volces.com/api/v3",
        ("ARK_API_KEY", "VOLCENGINE_API_KEY"),
        "volcengine",
        rename=OLD_LIMIT,
    ),
    Vendor("scaleway", "Scaleway", "https://api.scaleway.ai/v1", ("SCW_SECRET_KEY",), "scaleway"),
    Vendor(
        "ovhcloud",
        "OVHcloud AI Endpoints",
        "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
        ("OVH_AI_ENDPOINTS_ACCESS_TOKEN", "OVHCLOUD_API_KEY"),
        "ovhcloud",
        rename=OLD_LIMIT,
    ),
    Vendor(
        "nscale", "Nscale", "https://inference.api.nscale.com/v1", ("NSCALE_API_KEY",), "nscale"
    ),
    Vendor(
        "featherless",
        "Featherless AI",
        "https://api.featherless.ai/v1",
        ("FEATHERLESS_API_KEY", "FEATHERLESS_AI_API_KEY"),  # a subscription: no price per token
        rename=OLD_LIMIT,
    ),
    Vendor(
        "baseten", "Baseten", "https://inference.baseten.co/v1", ("BASETEN_API_KEY",), "baseten"
    ),
    Vendor(
        "wandb", "W&B Inference", "https://api.inference.wandb.ai/v1", ("WANDB_API_KEY",), "wandb"
    ),
    Vendor("v0", "Vercel v0", "https://api.v0.dev/v1", ("V0_API_KEY",), "v0"),
    Vendor(
        "vercel",
        "Vercel AI Gateway",
        "https://ai-gateway.vercel.sh/v1",
        ("AI_GATEWAY_API_KEY", "VERCEL_AI_GATEWAY_API_KEY"),
        "vercel_ai_gateway",
        routing=frozenset({"models", "providerOptions"}),
        speaks={"anthropic": "/messages"},
    ),
    Vendor(
        "inception",
        "Inception",
        "https://api.inceptionlabs.ai/v1",
        ("INCEPTION_API_KEY",),
        "inception",
        rename=OLD_LIMIT,
    ),
    Vendor("morph", "Morph", "https://api.morphllm.com/v1", ("MORPH_API_KEY",), "morph"),
    Vendor(
        "digitalocean",
        "DigitalOcean Gradient",
        "https://inference.do-ai.run/v1",
        ("GRADIENT_MODEL_ACCESS_KEY", "GRADIENT_AI_API_KEY"),
        "gradient_ai",
    ),
    Vendor(
        "meta",
        "Meta Model API",
        "https://api.meta.ai/v1",
        ("META_API_KEY",),  # Meta's own MODEL_API_KEY says too little about whose key it holds
        "meta",
        skip=("*-contributor",),  # cheap because Meta may train on the requests
    ),
    Vendor(
        "friendli",
        "FriendliAI",
        "https://api.friendli.ai/serverless/v1",
        ("FRIENDLI_TOKEN", "FRIENDLIAI_API_KEY"),
        "friendliai",
        rename=OLD_LIMIT,
    ),
    Vendor("ai21", "AI21", "https://api.ai21.com/studio/v1", ("AI21_API_KEY",), "ai21"),
    Vendor(
        "chutes",
        "Chutes",
        "https://llm.chutes.ai/v1",
        ("CHUTES_API_KEY",),
        rename=OLD_LIMIT,
    ),
    Vendor(
        "crusoe",
        "Crusoe",
        "https://api.inference.crusoecloud.com/v1",
        ("CRUSOE_API_KEY",),
        "crusoe",
    ),
    Vendor(
        "databricks",
        "Databricks",
        None,  # https://<workspace>/serving-endpoints
        ("DATABRICKS_TOKEN",),
        "databricks",
        rename=OLD_LIMIT,
    ),
    Vendor(
        "cloudflare",
        "Cloudflare Workers AI",
        None,  # https://api.cloudflare.com/client/v4/accounts/<account>/ai/v1
        ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"),
        "cloudflare",
        rename=OLD_LIMIT,
    ),
)
