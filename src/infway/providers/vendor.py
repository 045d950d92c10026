"""The shape of a vendor's row: what is the same for every account there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from infway.kernel.chat import Feature

# Most vendors know only the older name of the limit, and some ignore the newer one silently.
OLD_LIMIT: Mapping[str, str] = {"max_completion_tokens": "max_tokens"}
NEW_LIMIT: Mapping[str, str] = {"max_tokens": "max_completion_tokens"}
# Fields of other servers, to which vendors that check every field answer 400
FOREIGN: frozenset[str] = frozenset(
    {"top_k", "top_a", "min_p", "repetition_penalty", "length_penalty", "best_of", "priority"}
    | {"reasoning", "include_reasoning", "thinking", "thinking_budget", "enable_thinking"}
    | {"chat_template_kwargs", "guided_json", "guided_regex", "guided_choice", "transforms"}
    | {"plugins", "models", "route", "safe_prompt", "safe_mode", "num_ctx", "keep_alive"}
)
NO_FEATURE = Feature(0)
# Recorded of Grok at xAI and at OpenRouter: a limit of 50 tokens, 20 of answer and 294 of thoughts
_THOUGHTS_BESIDE = ("*grok*",)


@dataclass(frozen=True, slots=True)
class Route:
    """Models of a vendor that are served in another dialect, or elsewhere.

    `models`: patterns of native names, with * for any letters; `mode`: the word by which the price
    list marks them. Either is enough. `path`: below the base URL.
    """

    dialect: str
    path: str
    models: tuple[str, ...] = ()
    mode: str | None = None
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])

    def serves(self, native: str, mode: str | None) -> bool:
        """Tell whether a model goes this way."""
        named = any(fnmatchcase(native, pattern) for pattern in self.models)
        return named or (self.mode is not None and mode == self.mode)


@dataclass(frozen=True, slots=True)
class Vendor:
    """What is the same for every account at one vendor.

    `base_url` None: there is none for all, the configuration gives it. `env`: variables that may
    hold the key, the first that is set counts; empty: no key is needed. `catalogue`: the vendor's
    name in the packaged price list, None where it is not in it. `auth`: `bearer`, or
    `header:<name>`. `port`: where it listens on the user's own machine; None: in the cloud.
    `skip`: models of the catalogue that `all` leaves out, with * for any letters.
    `own_names`: its models are called as the account's owner likes, so no list can know them.
    `{model}` and `{api_version}` in `chat_path` stand for what the configuration says, and so do
    `{region}` and `{project}` in `base_url`; `region` is the one where nothing is said, and
    `region_env` and `project_env` are the variables that may say them.
    `cloud`: `aws` and `google` have credentials of their own beside keys. `routes`: models that go
    another way, the first that matches counts. `refuses`: other vendors' extensions of messages and
    tools that it answers with an error (`openai/history.py`). `lacks`: features its server does not have,
    whatever the model. `routing`: root fields, of any dialect, by which a request would have the vendor
    choose other models or sell extras beside them. `speaks`: other dialects in which its usual models are asked as well -> the
    path below the base URL. `thoughts_beside`: models, with * for any letters, whose thoughts are
    beside what the caller's limit allows. `note`: what its users have to know, for the documentation.
    """

    name: str
    title: str
    base_url: str | None = None
    env: tuple[str, ...] = ()
    catalogue: str | None = None
    dialect: str = "openai"
    chat_path: str = "/chat/completions"
    models_path: str = "/models"
    auth: str = "bearer"
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    drop: frozenset[str] = frozenset()
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    refuses: frozenset[str] = frozenset()
    routing: frozenset[str] = frozenset()
    api_version: str | None = None
    port: int | None = None
    skip: tuple[str, ...] = ("ft:*",)  # what a fine-tuned model costs: not a model itself
    own_names: bool = False
    cloud: str | None = None
    region: str | None = None
    region_env: tuple[str, ...] = ()
    project_env: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    lacks: Feature = NO_FEATURE
    speaks: Mapping[str, str] = field(default_factory=dict[str, str])
    thoughts_beside: tuple[str, ...] = _THOUGHTS_BESIDE
    note: str = ""

    @property
    def local(self) -> bool:
        """Tell whether it runs on the user's own machine, where tokens cost nothing."""
        return self.port is not None
