"""Replies in the caller's own dialect, passed on byte for byte but for their id and model.

The id becomes the request's, by which infway's accounts and logs know it, and the model is what
the catalogue calls it: both stand in the first event of a stream, or in the root of a body.
"""

import re
from collections.abc import Mapping

import msgspec

from infway.providers.shapes import is_object, read_object, write

_DATA = re.compile(rb"^data: ?(.*)$", re.MULTILINE)
_read_root = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def renamed_body(body: bytes, own: Mapping[str, str]) -> bytes:
    """Return a whole reply with infway's own root fields; everything within stays as it came."""
    return write({**_read_root(body), **own})


def renamed_start(block: bytes, own: Mapping[str, str]) -> tuple[bytes, bool]:
    """Return frames, the first event of the message renamed, and whether it was among them."""
    frames = block.split(b"\n\n")
    for place, one in enumerate(frames):
        found = _DATA.search(one) if b"message_start" in one else None
        root = read_object(found[1]) if found is not None else None
        if found is None or root is None or not is_object(root.get("message")):
            continue
        event = _read_root(found[1])
        event["message"] = msgspec.Raw(renamed_body(bytes(event["message"]), own))
        frames[place] = one[: found.start(1)] + write(event) + one[found.end(1) :]
        return b"\n\n".join(frames), True
    return block, False
