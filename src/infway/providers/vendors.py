"""The vendors infway knows, by name: rows of data and no code.

Departures from the dialect are data as well: `rename`, `drop`, `defaults`. What is in a row can
be overridden in the configuration.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from infway.kernel.chat import Feature
from infway.providers.spoken import spoken_by
from infway.providers.vendor import NO_FEATURE, OLD_LIMIT, Route, Vendor
from infway.providers.vendors_cloud import CLOUD
from infway.providers.vendors_native import NATIVE

__all__ = ["VENDORS", "Route", "Vendor"]


def _local(
    name: str,
    title: str,
    port: int,
    path: str = "/v1",
    lacks: Feature = NO_FEATURE,
    drop: tuple[str, ...] = (),
) -> Vendor:
    address = f"http://127.0.0.1:{port}{path}"
    dropped = frozenset(drop)
    return Vendor(name, title, address, port=port, rename=OLD_LIMIT, lacks=lacks, drop=dropped)


# Several servers share a port: the first row of a port is the one that is named when something
# answers there. What is dropped they read past in silence, or refuse.
_LOCAL: tuple[Vendor, ...] = (
    _local("ollama", "Ollama", 11434, "/v1", Feature.REMOTE_MEDIA, ("n", "best_of", "echo")),
    _local("lmstudio", "LM Studio", 1234, lacks=Feature.REMOTE_MEDIA),
    _local("vllm", "vLLM", 8000, drop=("suffix",)),
    _local("llamacpp", "llama.cpp server", 8081, drop=("suffix", "best_of", "echo")),
    _local("localai", "LocalAI", 8080),
    _local("llamafile", "llamafile", 8080),
    _local("mlx", "MLX LM server", 8080),
    _local("jan", "Jan", 1337),
    _local("sglang", "SGLang", 30000),
    _local("koboldcpp", "KoboldCpp", 5001),
    _local("textgen", "text-generation-webui", 5000),
    _local("tabbyapi", "TabbyAPI", 5000),
    _local("gpt4all", "GPT4All", 4891),
    _local("xinference", "Xinference", 9997),
    _local("docker-model-runner", "Docker Model Runner", 12434, "/engines/v1"),
)

_OLLAMA = Vendor(
    "ollama-native",
    "Ollama, native API",
    "http://127.0.0.1:11434",
    dialect="ollama",
    chat_path="/api/chat",
    models_path="/api/tags",
    port=11434,
    lacks=Feature.REMOTE_MEDIA,
    note="For what its OpenAI surface cannot say: the length of the context (`defaults: {options: "
    "{num_ctx: 32768}}`), `keep_alive`, levels of thinking. Has to be configured.",
)

_OWN: tuple[Vendor, ...] = (
    Vendor("custom", "Any server of the OpenAI dialect"),
    Vendor("sandbox", "infway's simulated upstreams", "sandbox://", dialect="sandbox"),
)

VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        vendor.name: replace(vendor, speaks={**vendor.speaks, **spoken_by(vendor.name)})
        for vendor in (*NATIVE, *CLOUD, *_LOCAL, _OLLAMA, *_OWN)
    }
)
