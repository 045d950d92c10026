"""Frames of OpenAI streams that need no change: the same bytes but for the id and the model.

Spaces between the fields of a frame's root do not count; nothing else may differ.
"""

import json
from collections.abc import Iterator

from tests.conformance.recording import Recording
from tests.conformance.wires import Json, events

_DECODER = json.JSONDecoder()
_OWN = frozenset({"id", "model"})


def differences(recording: Recording, raw: bytes) -> list[str]:
    """Compare the frames that the gateway has no reason to touch; only in exact recordings."""
    if recording.row.fidelity != "exact":
        return []
    came = iter(_plain(raw.decode()))
    for place, frame in enumerate(_plain(recording.text)):
        if frame not in came:  # which goes on behind the last one that was found
            return [f"frame {place} of those that need no change did not come: {frame[:200]}"]
    return []


def _plain(text: str) -> Iterator[str]:
    """Yield the frames that carry nothing but pieces of an answer.

    Usage goes to the end, and the fields of a frame without choices go with the next frame.
    """
    after_bare = False
    for event in events(text):
        if not event.data.strip() or event.data.strip() == "[DONE]":
            continue
        frame = json.loads(event.data)
        if _is_plain(frame) and not after_bare:
            yield _bare(event.data)
        after_bare = not frame.get("choices") and not frame.get("usage")


def _is_plain(frame: Json) -> bool:
    if not frame.get("choices") or frame.get("usage") or frame.get("error"):
        return False
    for choice in frame["choices"]:
        delta = choice.get("delta") or {}
        if choice.get("finish_reason") or not isinstance(delta.get("content", ""), str | None):
            return False
        if delta.get("reasoning") is not None or delta.get("reasoning_content") is not None:
            return False
    return True


def _bare(data: str) -> str:
    """Return an object's text without the root's own spaces and the fields the gateway owns."""
    place, fields = data.index("{") + 1, list[str]()
    while data[place := _skip(data, place, " \n\t,")] != "}":
        name, place = _DECODER.raw_decode(data, place)
        start = _skip(data, place, " \n\t:")
        _, place = _DECODER.raw_decode(data, start)
        if name not in _OWN:
            fields.append(json.dumps(name) + ":" + data[start:place])
    return "{" + ",".join(fields) + "}"


def _skip(text: str, place: int, letters: str) -> int:
    while text[place] in letters:
        place += 1
    return place
