"""The answers of several models (imsn) to one JSON body: choices by rank, failures after them."""

from collections.abc import Mapping, Sequence

import msgspec

from infway.api.dialect import usage_object
from infway.api.encode_json import choices_of, root_of
from infway.api.stamp import Stamp
from infway.kernel.events import Chunk, Usage
from infway.pipeline.gateway import Answer
from infway.pipeline.several import Result

_write = msgspec.json.Encoder().encode


def several_body(
    parts: Sequence[tuple[Answer, Stamp]],
    ends: Sequence[int],
    failed: Sequence[Result],
    extras: Mapping[str, object],
) -> bytes:
    """Return one body: the first answer's root, one choice for each model, usage in sum.

    `ends`: milliseconds from the receipt of the request to the end of each answer.
    """
    first, stamp = parts[0]
    begun = first.first[0]
    root = begun.fields if isinstance(begun, Chunk) else root_of(first.first, stamp)
    choices: list[Mapping[str, object]] = []
    for (answer, own), end in zip(parts, ends, strict=True):
        choice = choices_of(answer.first, own, end)[0]
        choices.append({**choice, "index": len(choices)})
    for result in failed:
        choice = _failed(result, len(choices))
        choices.append(stamp.plain(choice) if stamp.text else choice)
    usages = [answer.attempt.usage for answer, _ in parts]
    total = Usage(
        sum(usage.prompt for usage in usages),
        sum(usage.completion for usage in usages),
        sum(usage.total for usage in usages),
    )
    usage = usage_object(total, flat=True)
    return _write({**stamp.root(root), "choices": choices, "usage": usage, **extras})


def _failed(result: Result, index: int) -> dict[str, object]:
    error = result.error
    told = {"code": error.code, "message": error.message} if error is not None else None
    return {
        "index": index,
        "message": {"role": "assistant", "content": ""},
        "finish_reason": "error",
        "native_finish_reason": None,
        "model": {"ref": result.model, "rank": result.rank},
        "error": told,
    }
