"""What the head of a reply tells before its body is read, and the body of a refusal."""

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault
from infway.upstream.client import Response

_MAX_ERROR = 1024 * 1024  # bytes of an error reply that are read


def check_head(response: Response, *, stream: bool) -> None:
    """Raise UpstreamFailed where a 200 is not what was asked for by its own headers."""
    kind = response.headers.get("content-type", "")
    if "html" in kind or (not stream and "event-stream" in kind):
        raise UpstreamFailed(Failure(Fault.WRONG_CONTENT_TYPE, 200))


async def read_error(response: Response) -> bytes:
    """Return the body of an error reply; without a readable one its status says enough."""
    try:
        return await response.read(_MAX_ERROR)
    except UpstreamFailed:
        return b""
