"""Frameworks through a gateway, one after the other: their reports as JSON on standard output.

They share most of what they load, which is most of what they cost. `python frameworks.py BASE_URL KEY`
"""

import json
import sys
import traceback
from importlib import import_module


def told(name: str) -> object:
    """Return the report of one; where it fails, why: the others still tell theirs."""
    try:
        return import_module(name).report(*sys.argv[1:])
    except Exception:  # noqa: BLE001 - whatever a framework raises is what it made of the gateway
        return traceback.format_exc()


names = ("langchain_client", "llama_index_client", "agents_sdk")
json.dump({name: told(name) for name in names}, sys.stdout)
