"""Events of a streamed response as frames: named, numbered, and with their data in one line."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from infway.kernel.errors import GatewayError
from infway.kernel.faults import CONSEQUENCES, Failure

DONE = b"data: [DONE]\n\n"

_write = msgspec.json.Encoder().encode


class Teller(Protocol):
    """Who hears what happens to the items of a response."""

    def tell(self, kind: str, fields: Mapping[str, object]) -> None:
        """Hear one event."""
        ...

    def piece(self, head: bytes, text: str) -> None:
        """Hear a piece of text; `head` is from `head_of`."""
        ...


class Silence:
    """Hears nothing: a whole response needs its items alone."""

    def tell(self, kind: str, fields: Mapping[str, object]) -> None:
        """Hear one event."""

    def piece(self, head: bytes, text: str) -> None:
        """Hear a piece of text."""


class Frames:
    """Writes frames; `number` is that of the next one."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self._made: list[bytes] = []

    def tell(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write one event."""
        data = _write({"type": kind, **fields, "sequence_number": self.number})
        self._made.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), data))
        self.number += 1

    def piece(self, head: bytes, text: str) -> None:
        """Write a piece of text, the most frequent event of all."""
        self._made.append(b'%b%b,"sequence_number":%d}\n\n' % (head, _write(text), self.number))
        self.number += 1

    def take(self) -> bytes:
        """Return the frames since the last time."""
        made, self._made = self._made, []
        return b"".join(made)


def head_of(kind: str, fields: Mapping[str, object]) -> bytes:
    """Return how the frames of all pieces of one part begin, up to the piece itself."""
    data = _write({"type": kind, **fields})[:-1]
    return b'event: %b\ndata: %b,"delta":' % (kind.encode(), data)


def broken(failure: Failure) -> GatewayError:
    """Return the error that a reply which broke after it had begun means."""
    consequence = CONSEQUENCES[failure.fault]
    message = f"The upstream's answer broke off ({failure.fault.value})."
    return GatewayError(consequence.status, consequence.code, message)


# OpenAI's words for why a response failed, where it has one; else it is the server's fault
_ERRORS: Mapping[str, str] = {
    "upstream_rate_limited": "rate_limit_exceeded",
    "content_policy_violation": "invalid_prompt",
}


def fail(frames: Frames, error: GatewayError, response: Mapping[str, object]) -> bytes:
    """Write that a response failed, and return it.

    The fields of the `error` event stand flat, as OpenAI publishes them, and below `error`, where
    its SDK looks for them.
    """
    said = {"code": _ERRORS.get(error.code, "server_error"), "message": error.message}
    failed = {**response, "status": "failed", "error": said}
    frames.tell("response.failed", {"response": failed})
    told = {"code": error.code, "message": error.message, "param": error.param}
    frames.tell("error", {**told, "error": {"type": error.type, **told}})
    return _write(failed)
