"""From the body of a Messages request to a ChatRequest that carries the body as well.

Upstreams of the same dialect get the body as it came; the others get a chat made of it.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NoReturn

import msgspec

from infway.api.anthropic.conversation import chat_messages
from infway.api.anthropic.notes import Notes
from infway.api.anthropic.schema import CountTokensBody, MessagesBody
from infway.api.anthropic.wishes import own_wishes, shared_wishes
from infway.api.errors import Header
from infway.api.gate import read_members
from infway.api.limits import check_limits
from infway.api.reading import read_chat, refuse
from infway.api.unreadable import not_json
from infway.kernel.chat import ChatRequest, Native
from infway.kernel.errors import CallerError
from infway.providers.anthropic.carry import BETA, DIALECT, VERSION
from infway.providers.shapes import as_list

_Fields = dict[str, msgspec.Raw]
_read_messages = msgspec.json.Decoder(MessagesBody).decode
_read_count = msgspec.json.Decoder(CountTokensBody).decode
_write = msgspec.json.Encoder().encode

# infway's own fields, which a body of this dialect may have too
_OWN = ("provider", "fallback_models", "fallback_rules", "priority", "usage")
_KNOWN = frozenset(
    {"model", "messages", "max_tokens", "system", "stream", "temperature", "top_p", "top_k"}
    | {"stop_sequences", "metadata", "service_tier", "thinking", "tool_choice", "tools"}
    | {"output_config", "output_format", "cache_control", *_OWN}
    | {"anthropic_version"}  # in the body of clients of Google's and Amazon's clouds
)
# What the answer depends on and chats have no words for
_NEEDED = frozenset({"container", "mcp_servers", "inference_geo", "compaction", "thread"})
_LONGEST_HEADER = 1024  # bytes of one that is passed on; threat model, row B3
_WORDS = {"max_tokens": "0 tokens"}  # what is asked for where the limit is needed
_PASSED = {VERSION.encode(): VERSION, BETA.encode(): BETA}
_MOST = {"stop": 4, "tools": 128}  # of a chat: OpenAI's limits
_NOTHING = (b"null", b"[]", b"{}", b"false")
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_request(
    data: bytes, headers: Iterable[Header], request_id: str
) -> tuple[ChatRequest, MessagesBody]:
    """Return the request, and its body; raises CallerError with the path of the wrong field."""
    try:
        body, fields = _read_messages(_text(data)), read_members(data)
        check_limits(fields, body.max_tokens)
        notes = Notes()
        said = shared_wishes(body, notes) | own_wishes(body, notes)
        said["messages"] = chat_messages(body, notes)
        ask = _chat(said, fields, request_id)
    except _FAULTS as error:
        _refuse(data, error)
    return ask._replace(native=_native(fields, headers, notes)), body


def read_counted(data: bytes, request_id: str) -> ChatRequest:
    """Return a request whose tokens are to be counted; raises CallerError."""
    try:
        body, fields = _read_count(_text(data)), read_members(data)
        notes = Notes()
        said = shared_wishes(body, notes)
        said["messages"] = chat_messages(body, notes)
        ask = _chat(said, fields, request_id)
    except _FAULTS as error:
        _refuse(data, error)
    return ask._replace(native=_native(fields, (), notes))


def _text(data: bytes) -> bytes:
    """Return the data; raises UnicodeDecodeError where it is no text."""
    if not data.isascii():
        data.decode()
    return data


def _refuse(data: bytes, error: Exception) -> NoReturn:
    if isinstance(error, msgspec.ValidationError):
        refuse(error, data)
    raise not_json(data, error) from error


def _chat(said: dict[str, object], fields: _Fields, request_id: str) -> ChatRequest:
    """Return the chat that a request says; lists that are longer than chats allow stay whole."""
    said |= {name: fields[name] for name in ("model", *_OWN) if name in fields}
    long: dict[str, msgspec.Raw] = {}
    for name, most in _MOST.items():
        listed = as_list(said.get(name))
        if len(listed) > most:
            long[name], said[name] = msgspec.Raw(_write(listed)), listed[:most]
    ask, _ = read_chat(_write(said), request_id, None)
    return ask._replace(fields={**ask.fields, **long}) if long else ask


def _native(fields: _Fields, headers: Iterable[Header], notes: Notes) -> Native:
    for name, value in fields.items():
        if bytes(value) in _NOTHING or name in _KNOWN:
            continue
        note = notes.need if name in _NEEDED else notes.lose
        note(name)
    passed = {name: fields[name] for name in fields if name not in _OWN}
    needs, lost = tuple(notes.needs), tuple(notes.lost)
    return Native(DIALECT, passed, needs, lost, _passed(headers), _WORDS)


def _passed(headers: Iterable[Header]) -> Mapping[str, str]:
    """Return the headers of the dialect; betas may come in several. Raises CallerError."""
    passed: dict[str, str] = {}
    for name, value in headers:
        known = _PASSED.get(name)
        if known is None:
            continue
        text = value.decode("latin-1").strip()
        if not (text.isascii() and text.isprintable()) or len(text) > _LONGEST_HEADER:
            message = f"{known}: must be printable ASCII of {_LONGEST_HEADER} bytes at most."
            raise CallerError(400, "invalid_field", message, known)
        if text:
            passed[known] = f"{passed[known]},{text}" if known in passed else text
    return MappingProxyType(passed)
