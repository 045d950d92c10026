"""Objects of the OpenAI dialect: a whole reply, or one frame of a stream, read as far as it matters."""

from collections.abc import Mapping

import msgspec

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Chunk, Finish
from infway.kernel.faults import Failure, Fault
from infway.providers.openai.choices import spelled
from infway.providers.openai.finishes import finish_of
from infway.providers.openai.usage import usage_of

Fields = dict[str, msgspec.Raw]
read_fields = msgspec.json.Decoder(Fields).decode
_read_choices = msgspec.json.Decoder(list[Fields]).decode
_read_index = msgspec.json.Decoder(int).decode
_NULL = msgspec.Raw(b"null")
_NONE = msgspec.Raw(b"[]")


def fields_of(data: bytes, fault: Fault) -> Fields:
    """Read the root of a JSON object; raises UpstreamFailed(`fault`) where it is none."""
    try:
        if data.isascii() or is_text(data):
            return read_fields(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamFailed(Failure(fault, 200)) from error
    raise UpstreamFailed(Failure(fault, 200))


def is_text(data: bytes) -> bool:
    """Tell whether bytes are UTF-8; what is passed on or kept raw is checked by nobody else."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def chunk_of(fields: Fields, fault: Fault, *, is_whole: bool = False) -> Chunk:
    """Read what matters of an object; raises UpstreamFailed(`fault`) where it is no chat reply.

    Every choice of a whole reply has ended, also where it does not say why.
    """
    raw = fields.get("choices", _NONE)
    try:
        usual = spelled(raw, _word(fields.get("created", _NULL)))
        if usual is not raw:
            raw = usual
            fields = {**fields, "choices": raw}
        choices = _read_choices(raw)
        finishes: list[Finish] = []
        for place, choice in enumerate(choices):
            index = index_of(choice, place)
            if is_whole or not _is_empty(choice.get("finish_reason", _NULL)):
                finishes.append(finish_of(choice, index))
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamFailed(Failure(fault, 200)) from error
    usage = usage_of(fields.get("usage", _NULL))
    return Chunk(fields, choices, tuple(finishes), usage, bool(choices))


def index_of(choice: Mapping[str, object], place: int) -> int:
    """Return the index of a choice, its place where it says none; raises msgspec.DecodeError."""
    raw = choice.get("index")
    if not isinstance(raw, msgspec.Raw):
        return place
    return 0 if bytes(raw) == b"0" else _read_index(raw)


def _is_empty(raw: msgspec.Raw) -> bool:
    return bytes(raw) in (b"null", b'""')


def _word(raw: msgspec.Raw) -> str:
    """Return a number or a word as letters and digits."""
    return "".join(filter(str.isalnum, bytes(raw).decode()))


def is_null(raw: object) -> bool:
    """Tell whether a field is absent or null."""
    return not isinstance(raw, msgspec.Raw) or bytes(raw) == b"null"
