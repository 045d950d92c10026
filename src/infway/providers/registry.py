"""Dialect names to adapters, one line each."""

from collections.abc import Mapping

from infway.providers.adapter import Adapter
from infway.providers.openai import OpenAI
from infway.providers.sandbox import Sandbox

ADAPTERS: Mapping[str, Adapter] = {
    "openai": OpenAI(),
    "sandbox": Sandbox(),
}
