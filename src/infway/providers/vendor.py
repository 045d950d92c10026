"""The shape of a vendor's row: what is the same for every account there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Most vendors know only the older name of the limit, and some ignore the newer one silently.
OLD_LIMIT: Mapping[str, str] = {"max_completion_tokens": "max_tokens"}
NEW_LIMIT: Mapping[str, str] = {"max_tokens": "max_completion_tokens"}


@dataclass(frozen=True, slots=True)
class Vendor:
    """What is the same for every account at one vendor.

    `base_url` None: there is none for all, the configuration gives it. `env`: variables that may
    hold the key, the first that is set counts; empty: no key is needed. `catalogue`: the vendor's
    name in the packaged price list, None where it is not in it. `auth`: `bearer`, or
    `header:<name>`. `port`: where it listens on the user's own machine; None: in the cloud.
    `skip`: models of the catalogue that `all` leaves out, with * for any letters.
    `own_names`: its models are called as the account's owner likes, so no list can know them.
    `{model}` and `{api_version}` in `chat_path` stand for what the configuration says.
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
    api_version: str | None = None
    port: int | None = None
    skip: tuple[str, ...] = ("ft:*",)  # what a fine-tuned model costs: not a model itself
    own_names: bool = False

    @property
    def local(self) -> bool:
        """Tell whether it runs on the user's own machine, where tokens cost nothing."""
        return self.port is not None
