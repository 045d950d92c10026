"""The endpoints in front of the web framework as the API's description shows them, a row each."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from infway.api.embeddings_reading import EmbeddingsBody
from infway.api.replies import ChatReply, EmbeddingsReply, ErrorBody
from infway.api.routes import Family, everywhere
from infway.api.schema import ChatBody

_REF = "#/components/schemas/{name}"
_ERRORS = ("400", "401", "403", "404", "405", "413", "415", "429", "500", "502", "503", "504")
ERROR: dict[str, Any] = {
    "description": "An error",
    "content": {"application/json": {"schema": {"$ref": _REF.format(name="ErrorBody")}}},
}
CHAT = everywhere("/chat/completions")
EMBEDDINGS = everywhere("/embeddings")


class Operation(NamedTuple):
    """One family of paths. `body`, `reply`: types of msgspec; `streams`: the reply may be events."""

    word: str
    summary: str
    family: Family
    body: type[msgspec.Struct]
    reply: type[msgspec.Struct]
    streams: bool = False


OPERATIONS: tuple[Operation, ...] = (
    Operation("chat", "Create a chat completion", CHAT, ChatBody, ChatReply, streams=True),
    Operation("embeddings", "Create embeddings", EMBEDDINGS, EmbeddingsBody, EmbeddingsReply),
)


def components() -> dict[str, Any]:
    """Return the schemas of all bodies and replies."""
    types = [kind for row in OPERATIONS for kind in (row.body, row.reply)]
    return msgspec.json.schema_components([*types, ErrorBody], ref_template=_REF)[1]


def described_paths() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the paths of all rows with what is done there."""
    for row in OPERATIONS:
        for path in (*sorted(row.family.paths), *row.family.templates()):
            yield path, {"post": _operation(row, path)}


def _operation(row: Operation, path: str) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": _ref(row.reply)}}
    if row.streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    return {
        "tags": [row.word],
        "summary": row.summary,
        "operationId": row.word + path.replace("/", "_").replace("{", "").replace("}", ""),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in ("model",)
            if f"{{{name}}}" in path
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref(row.body)}},
        },
        "responses": {
            "200": {"description": row.summary, "content": content},
            **dict.fromkeys(_ERRORS, ERROR),
        },
    }


def _ref(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _REF.format(name=kind.__name__)}
