"""What an upstream is in the configuration, and the kinds of values all settings share."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue
from pydantic import SecretStr as Secret

from infway.accounts.terms import NAME, NUMBER, Number, Terms, Words

CapabilityWord = Literal[
    "tools",
    "vision",
    "audio_in",
    "audio_out",
    "files",
    "json_object",
    "json_schema",
    "reasoning",
    "logprobs",
    "several",
    "prefill",
    "remote_media",
    "embeddings",
    "token_ids",
    "rerank",
    "moderation",
    "images",
    "image_edits",
    "image_variations",
    "speech",
    "transcription",
    "translation",
]
Mode = Literal["chat", "embedding", "rerank", "moderation", "image", "speech", "transcription"]
TierName = Literal["priority", "flex", "batch", "ultrafast"]  # the catalogue's words too


def _sendable(secret: Secret) -> Secret:
    if not all("!" <= letter <= "~" for letter in secret.get_secret_value()):
        raise ValueError("holds a space or a letter that no HTTP header can carry")
    return secret


def _named(value: object) -> object:
    return {"id": value} if isinstance(value, str) else value


def _listed(value: object) -> object:
    return None if value == "all" else value


DialectName = Literal[
    "openai",
    "responses",
    "completions",
    "anthropic",
    "gemini",
    "bedrock",
    "bedrock-invoke",
    "cohere",
    "ollama",
]

_PLACE = r"^[a-z0-9][a-z0-9:.-]*$"
_NAME = r"^[a-z0-9][a-z0-9._-]*$"
_HEADER = r"^[\x20-\x7e]*$"
_AUTH = r"^(bearer|header:[A-Za-z0-9-]+)$"
_URL = r"^https?://[^\s/?#@]+[^\s?#@]*$"
HOOK = r"^https?://"
PATTERNS: Mapping[str, str] = {
    _PLACE: "should be lower-case letters, digits, `-`, `.` and `:`",
    _NAME: "should be lower-case letters, digits, `.`, `_` and `-`",
    _HEADER: "should be letters that an HTTP header can carry",
    _AUTH: "should be `bearer` or `header:<name>`",
    _URL: "should be an http:// or https:// URL without a password, a query or a fragment",
    NAME: "should be letters, digits, `.`, `_`, `@` and `-`, the first a letter or a digit",
    HOOK: "should be an http:// or https:// URL",
}

Name = Annotated[str, Field(pattern=_NAME, max_length=64)]
Place = Annotated[str, Field(pattern=_PLACE, max_length=64)]
Seconds = Annotated[float, Field(gt=0, le=86_400), NUMBER]
Some = Annotated[int, Field(ge=1), NUMBER]
Percent = Annotated[float, Field(ge=0, le=100), NUMBER]
Price = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False), NUMBER]
InputPrice = Annotated[Price | None, Field(description="USD per million input tokens.")]
OutputPrice = Annotated[Price | None, Field(description="USD per million output tokens.")]
ReadPrice = Annotated[Price | None, Field(description="USD per million tokens read cached.")]
WritePrice = Annotated[Price | None, Field(description="USD per million tokens cached.")]
Header = Annotated[str, Field(pattern=_HEADER, max_length=1024)]
Key = Annotated[Secret, AfterValidator(_sendable)]
Auth = Annotated[str, Field(pattern=_AUTH)]
HttpUrl = Annotated[str, Field(pattern=_URL)]


class Closed(Terms):
    """Frozen, and an unknown key is an error. Input never appears in messages: it may be secret."""


class TimeoutSettings(Closed):
    """Limits of one attempt, in seconds; `total` is shared by all attempts of a request."""

    connect: Seconds = Field(default=3.0, description="Until the connection stands.")
    first_token: Seconds = Field(default=60.0, description="Until the first token of a stream.")
    first_token_fallback: Seconds = Field(
        default=10.0,
        description="Until the first token while another offer is left; longer where it is known"
        " that the model takes longer.",
    )
    whole: Seconds = Field(default=300.0, description="Until a reply in one piece is there.")
    idle: Seconds = Field(default=30.0, description="Between two tokens.")
    slowest: Number = Field(
        default=0.1,
        ge=0,
        le=1000,
        description="Tokens a second: a stream that gives fewer over twice `idle` has fallen"
        " silent; 0: none has that says anything.",
    )
    total: Seconds = Field(default=600.0, description="For the whole answer.")


class AwsSettings(Closed):
    """Keys of an AWS account, where no Bedrock API key is used."""

    access_key_id: str = Field(min_length=1, description="AWS_ACCESS_KEY_ID.")
    secret_access_key: Key = Field(min_length=1, description="AWS_SECRET_ACCESS_KEY.")
    session_token: Key | None = Field(default=None, description="AWS_SESSION_TOKEN, if any.")


class TierSettings(Closed):
    """What a model costs at one service tier. What is left out costs as usual, or more in proportion."""

    input_price: InputPrice = None
    output_price: OutputPrice = None
    cache_read_price: ReadPrice = None
    cache_write_price: WritePrice = None


class ModelSettings(Closed):
    """One model at an upstream. What is left out comes from the packaged catalogue."""

    id: str = Field(min_length=1, max_length=256, description="The name that callers use.")
    native: str | None = Field(
        default=None, min_length=1, description="The upstream's own name for it."
    )
    deployment: str | None = Field(
        default=None, min_length=1, description="Azure: its deployment's name."
    )
    dialect: DialectName | None = Field(
        default=None, description="The dialect it is asked in; null: its upstream's."
    )
    mode: Mode | None = Field(
        default=None,
        description="What it is for; null: what the catalogue says, or its name (`embed`, `rerank`,"
        " `whisper`... in it), or else chat.",
    )
    input_price: InputPrice = None
    output_price: OutputPrice = None
    cache_read_price: ReadPrice = None
    cache_write_price: WritePrice = None
    search_price: Price | None = Field(
        default=None, description="Rerank: USD per thousand searches."
    )
    image_price: Price | None = Field(default=None, description="Images: USD per image.")
    character_price: Price | None = Field(
        default=None, description="Speech: USD per million characters."
    )
    minute_price: Price | None = Field(
        default=None, description="Speech and transcription: USD per minute of sound."
    )
    tiers: dict[TierName, TierSettings] = Field(
        default_factory=dict[TierName, TierSettings],
        description="What it costs at service tiers: `priority`, `flex`, `batch`, `ultrafast`.",
    )
    context: Some | None = Field(default=None, description="Longest prompt, in tokens.")
    max_output: Some | None = Field(default=None, description="Longest answer, in tokens.")
    capabilities: tuple[CapabilityWord, ...] | None = Field(
        default=None,
        description="What it can do; null: what the catalogue says, or else everything.",
    )
    quality: Percent | None = Field(default=None, description="How good it is, 0 to 100.")
    quantization: str | None = Field(
        default=None, description="Number format of its weights, like `fp8`."
    )


OneModel = Annotated[
    ModelSettings, BeforeValidator(_named, json_schema_input_type=str | ModelSettings)
]
Models = Annotated[
    tuple[OneModel, ...] | None,
    BeforeValidator(_listed, json_schema_input_type=Literal["all"] | tuple[OneModel, ...] | None),
]


class UpstreamSettings(Closed):
    """One account at a vendor, or one model server."""

    name: Name = Field(description="Its own name: letters, digits, `.`, `_` and `-`.")
    vendor: str = Field(description="A row of the vendors' table; `custom` for none.")
    base_url: HttpUrl | None = Field(default=None, description="Overrides the vendor's own.")
    key: Key | None = Field(
        default=None,
        min_length=1,
        description="The vendor's key; default: the vendor's own variable.",
    )
    aws: AwsSettings | None = Field(
        default=None, description="Bedrock: an account's keys; default: AWS's own variables."
    )
    service_account: Secret | None = Field(
        default=None,
        description="Vertex: the JSON of a service account's key, best as `{file: path}`; null: the"
        " machine's own account.",
    )
    region: Place | None = Field(default=None, description="Bedrock, Vertex: the region.")
    project: Place | None = Field(default=None, description="Vertex: the project.")
    dialect: DialectName | None = Field(
        default=None, description="The dialect it speaks; null: its vendor's."
    )
    auth: Auth | None = Field(
        default=None, description="How the key travels: `bearer` or `header:<name>`."
    )
    headers: dict[str, Header] = Field(
        default_factory=dict[str, Header], description="More headers to send."
    )
    api_version: str | None = Field(default=None, description="Azure's dated API version.")
    timeouts: TimeoutSettings = Field(
        default_factory=TimeoutSettings, description="Limits of one attempt here."
    )
    allow_unpriced: bool = Field(
        default=False,
        description="Use models whose price is not known; without it they are left out.",
    )
    drop: Words | None = Field(
        default=None, description="Request fields never sent; replaces the vendor's."
    )
    rename: dict[str, str] | None = Field(
        default=None, description="Request fields sent under another name; replaces the vendor's."
    )
    defaults: dict[str, JsonValue] | None = Field(
        default=None,
        description="Request fields sent where the caller gave none; replaces the vendor's.",
    )
    max_in_flight: Some | None = Field(
        default=None, description="Requests at once; beyond it the upstream is tried last."
    )
    trains_on_data: bool | None = Field(default=None, description="It trains on what it is sent.")
    zero_data_retention: bool | None = Field(
        default=None, description="It keeps nothing it is sent."
    )
    models: Models = Field(
        default=None,
        description="Its models; `all`: every model in the catalogue that can be asked here.",
    )
