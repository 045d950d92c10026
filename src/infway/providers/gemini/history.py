"""Contents of Gemini's clients put right for Google, where another vendor said a part of them.

Such a conversation began elsewhere: wrapped signatures are no signatures to Google, and calls that
no Gemini made have none.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from infway.providers.gemini.contents import UNSIGNED
from infway.providers.gemini.signatures import BEGINS, is_googles, unwrapped
from infway.providers.shapes import as_object, as_objects, as_text, is_object, value_of

_SIGNATURES = ("thoughtSignature", "thought_signature")
_CALLS = ("functionCall", "function_call")


class Rewritten(NamedTuple):
    """Contents as Google takes them. `lost`: the paths of what other vendors signed, left out."""

    contents: object
    lost: tuple[str, ...] = ()


def rewritten(contents: object, *, signed: bool, vertex: bool) -> Rewritten:
    """Return contents, as they were sent where nothing has to change.

    `signed`: the model refuses calls without a signature. `vertex`: roles must be there.
    """
    raw = bytes(contents) if isinstance(contents, msgspec.Raw) else b""
    calls = signed and (b'"functionCall"' in raw or b'"function_call"' in raw)
    roles = vertex and raw.count(b'"role"') < raw.count(b'"parts"')
    wrapped = BEGINS.encode() in raw
    if not (calls or roles or wrapped):
        return Rewritten(contents)
    said = value_of(contents)
    listed = [said] if is_object(said) else as_objects(said)
    told: list[dict[str, object]] = []
    lost: list[str] = []
    for place, content in enumerate(listed):
        parts = [as_object(content["parts"])] if is_object(content.get("parts")) else None
        parts = parts or as_objects(content.get("parts"))
        kept = list(_kept(parts, f"contents[{place}]", lost))
        if content.get("role") == "model" and signed:
            _sign(kept)
        if kept or not parts:
            role = {} if content.get("role") or not vertex else {"role": "user"}
            told.append({**content, **role} | ({"parts": kept} if parts else {}))
    return Rewritten(told, tuple(lost))


def _kept(
    parts: list[dict[str, object]], path: str, lost: list[str]
) -> Iterator[dict[str, object]]:
    """Yield parts with Google's own signatures; one that held nothing but a wrapper is left out."""
    for place, part in enumerate(parts):
        key = next((name for name in _SIGNATURES if name in part), "")
        items = unwrapped(as_text(part.get(key)))
        if items is None:
            yield part
            continue
        del part[key]
        own = [one.get("signature") or one.get("data") for one in items if is_googles(one)]
        signature = next(filter(None, own), None)
        if signature:
            part[key] = signature
        else:
            lost.append(f"{path}.parts[{place}].{key}")
        if signature or part.keys() - {"text", "thought"} or part.get("text"):
            yield part


def _sign(parts: list[dict[str, object]]) -> None:
    """Sign the first call of a turn, where nobody has."""
    first = next((part for part in parts if part.keys() & {*_CALLS}), None)
    if first is not None and not first.keys() & {*_SIGNATURES}:
        first[_SIGNATURES[0]] = UNSIGNED
