"""How a reply begins: the first words of a stream, and replies that come in the other form.

Only what carries a part of the answer counts as its beginning: a frame that names the role, or
a keep-alive, commits to nothing. Reliability, rows 10 and 18.
"""

from collections.abc import Mapping

import msgspec

from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Broken, Chunk, Event, Facts, Raw, Usage
from infway.kernel.faults import Failure, Fault
from infway.pipeline.reply import check_first, first_events
from infway.providers.adapter import Adapter, Decoder
from infway.upstream.client import Response

JSON = "application/json"
EVENTS = "text/event-stream"
_MOST = 256  # events that are held back at most while none of them says anything
_SILENT = (Usage, Facts, Raw)
_UNTOLD = frozenset({"role", "index", "finish_reason", "logprobs"})  # what is no part of an answer
_read = msgspec.json.Decoder(dict[str, object]).decode


async def first_words(response: Response, decoder: Decoder) -> list[Event]:
    """Wait until a stream says something; raises UpstreamFailed where it never does."""
    held = await first_events(response, decoder)
    while not decoder.done and len(held) < _MOST and not any(map(_says, held)):
        held += await first_events(response, decoder)
    if not any(map(_says, held[:-1])):
        check_first(held)
    return held


def _says(event: Event) -> bool:
    """Tell whether an event carries a part of the answer, or its end."""
    if isinstance(event, Chunk):
        return bool(event.finishes) or any(map(_speaks, event.choices))
    return not isinstance(event, _SILENT)


def _speaks(choice: Mapping[str, object]) -> bool:
    """Tell whether a choice of the OpenAI dialect says more than who speaks."""
    delta = choice.get("delta")
    if not isinstance(delta, msgspec.Raw):
        return True
    try:
        said = _read(delta)
    except msgspec.DecodeError:
        return True
    return any(value for name, value in said.items() if name not in _UNTOLD)


async def turned(response: Response, adapter: Adapter, *, mirrored: bool) -> list[Event]:
    """Return the events of a whole reply in the form nobody asked for; raises UpstreamFailed.

    `adapter` takes the reply apart. `mirrored`: its caller wants it in its own dialect, which
    nobody turns.
    """
    body = await response.read()
    if response.headers["content-type"].startswith(JSON):
        events = adapter.whole(body)  # raises the error that it may be
        if mirrored:
            raise UpstreamFailed(Failure(Fault.PROTOCOL_MISMATCH, response.status))
        return events
    decoder = adapter.decoder()
    events = decoder.feed(body)
    if not decoder.done:
        events += decoder.close()
    last = events[-1] if events else None
    if isinstance(last, Broken):
        failure = last.failure
        cut = failure.fault in (Fault.STREAM_CUT, Fault.EMPTY_STREAM, Fault.BAD_EVENT)
        raise UpstreamFailed(Failure(Fault.PROTOCOL_MISMATCH, 200) if cut else failure)
    if not events:
        raise UpstreamFailed(Failure(Fault.EMPTY_STREAM, 200))
    if mirrored:
        raise UpstreamFailed(Failure(Fault.PROTOCOL_MISMATCH, 200))
    return events
