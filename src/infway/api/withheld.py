"""What is withheld of a stream that is passed on and breaks: whatever says so in others' words.

An upstream's error may name the account that infway uses there, so callers hear infway's own.
"""

from itertools import takewhile

from infway.providers.shapes import as_object, as_text, read_object
from infway.providers.sse import frames

_FAILED = frozenset({"error", "response.failed", "response.cancelled"})


def before_failure(block: bytes) -> bytes:
    """Return the frames before the first that says an error or holds no JSON object.

    `block`: whole frames with LF line ends. What follows that frame was not read either.
    """
    said = takewhile(_is_sound, filter(None, block.split(b"\n\n")))
    return b"".join([one + b"\n\n" for one in said])


def _is_sound(one: bytes) -> bool:
    """Tell whether a frame can be passed on; one without data only keeps the line open."""
    frame = next(iter(frames(one)), None)
    if frame is None or not frame.data.strip():
        return True
    root = read_object(frame.data)
    if root is None or frame.event.decode(errors="replace") in _FAILED:
        return False
    inner = as_object(root.get("response"))
    return as_text(root.get("type")) not in _FAILED and not (
        root.get("error") or inner.get("error")
    )
