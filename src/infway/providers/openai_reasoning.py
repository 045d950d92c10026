"""Visible reasoning, which vendors of the OpenAI dialect call by two names."""

import msgspec

_Fields = dict[str, msgspec.Raw]
_read_fields = msgspec.json.Decoder(_Fields).decode
_read_parts = msgspec.json.Decoder(list[_Fields]).decode
_write = msgspec.json.Encoder().encode
_NULL = msgspec.Raw(b"null")


def twin_reasoning(raw: msgspec.Raw) -> msgspec.Raw:
    """Give `reasoning` beside `reasoning_content` and the other way round: clients read either."""
    choices = _read_parts(raw)
    for choice in choices:
        for key in ("delta", "message"):
            if not bytes(choice.get(key, _NULL)).startswith(b"{"):
                continue
            part = _read_fields(choice[key])
            for one, other in (
                ("reasoning_content", "reasoning"),
                ("reasoning", "reasoning_content"),
            ):
                if one in part and bytes(part[one]).startswith(b'"'):
                    part.setdefault(other, part[one])
            choice[key] = msgspec.Raw(_write(part))
    return msgspec.Raw(_write(choices))
