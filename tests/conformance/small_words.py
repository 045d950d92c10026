"""What the small replies of every dialect say, and how streams are written."""

import json
from collections.abc import Mapping

TEXT = "It is 21 °C in\nKraków: nice…"
THOUGHT = "They ask for the weather."
ARGUMENTS = {"city": "Kraków", "days": [1, 2]}
CALL = {"name": "weather", "arguments": json.dumps(ARGUMENTS)}
# The same in pieces
TEXTS = TEXT[:8], TEXT[8:20], TEXT[20:]
HALVES = json.dumps(ARGUMENTS)[:9], json.dumps(ARGUMENTS)[9:]


def sse(*objects: object, end: str = "") -> bytes:
    """Return a stream of server-sent events."""
    return ("".join(f"data: {json.dumps(one)}\n\n" for one in objects) + end).encode()


def named(*objects: Mapping[str, object]) -> bytes:
    """Return a stream of server-sent events that are called by their type."""
    events = (f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in objects)
    return "".join(events).encode()
