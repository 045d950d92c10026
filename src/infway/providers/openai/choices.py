"""Choices as vendors of the OpenAI dialect spell them, brought to the spelling that clients read.

Visible reasoning has two names, and at Mistral a place among the parts of `content`; Cloudflare
gives a structured answer as an object; Gemini's calls have an empty id.
"""

import re

import msgspec

_Fields = dict[str, msgspec.Raw]
_read_fields = msgspec.json.Decoder(_Fields).decode
_read_list = msgspec.json.Decoder(list[_Fields]).decode
_read_text = msgspec.json.Decoder(str).decode
_write = msgspec.json.Encoder().encode
_NULL = msgspec.Raw(b"null")
# None of these can stand inside a JSON string, where quotes are escaped
_ODD = re.compile(
    rb'"reasoning|"id"\s*:\s*""'
    rb'|"content"\s*:\s*(?:\{|\[\s*\{\s*"(?!token"|logprob"|bytes"|top_logprobs"))'
)
_NAMES = (("reasoning_content", "reasoning"), ("reasoning", "reasoning_content"))


def spelled(raw: msgspec.Raw, seed: str) -> msgspec.Raw:
    """Return choices in the usual spelling; `seed` makes the ids of calls that have none."""
    if _ODD.search(bytes(raw)) is None:
        return raw
    choices = _read_list(raw)
    for choice in choices:
        for key in ("delta", "message"):
            if bytes(choice.get(key, _NULL)).startswith(b"{"):
                choice[key] = _raw(_part(_read_fields(choice[key]), seed))
    return _raw(choices)


def _part(part: _Fields, seed: str) -> _Fields:
    content = bytes(part.get("content", _NULL))
    if content.startswith(b"["):
        part = _from_parts(part)
    elif content.startswith(b"{"):
        part = {**part, "content": _raw(content.decode())}
    for one, other in _NAMES:
        if bytes(part.get(one, _NULL)).startswith(b'"'):
            part.setdefault(other, part[one])
    if bytes(part.get("tool_calls", _NULL)).startswith(b"["):
        part["tool_calls"] = _named(part["tool_calls"], seed)
    return part


def _from_parts(part: _Fields) -> _Fields:
    """Return a message whose parts are told apart; what is neither text nor thinking stays there."""
    text: list[str] = []
    thought: list[str] = []
    others: list[_Fields] = []
    for piece in _read_list(part["content"]):
        kind = _read_text(piece.get("type", _raw("")))
        if kind == "text" and "text" in piece:
            text.append(_read_text(piece["text"]))
        elif kind == "thinking":
            thought += _thinking(piece.get("thinking", _NULL))
        else:
            others.append(piece)
    clean = {**part, "content": _raw("".join(text))}
    if thought:
        clean["reasoning_content"] = _raw("".join(thought))
    return {**clean, "content_parts": _raw(others)} if others else clean


def _thinking(raw: msgspec.Raw) -> list[str]:
    if bytes(raw).startswith(b'"'):
        return [_read_text(raw)]
    pieces = _read_list(raw) if bytes(raw).startswith(b"[") else []
    return [_read_text(piece["text"]) for piece in pieces if "text" in piece]


def _named(raw: msgspec.Raw, seed: str) -> msgspec.Raw:
    """Return tool calls that all have an id; pieces of a call that has begun need none."""
    calls = _read_list(raw)
    for place, call in enumerate(calls):
        if bytes(call.get("id", _NULL)) == b'""' and b'"name"' in bytes(call.get("function", b"")):
            index = bytes(call.get("index", b"%d" % place)).decode()
            call["id"] = _raw(f"call_{seed}_{index}")
    return _raw(calls)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_write(value))
