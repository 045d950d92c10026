"""One request for a response, and how its reply is written: whole, or event by event."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from infway.api.responses.envelope import State, response_object, usage_object
from infway.api.responses.frames import DONE, Frames, Silence, broken, fail
from infway.api.responses.mirrored import Mirrored, patched
from infway.api.responses.output import Output
from infway.api.stamp import bill_fields
from infway.api.talk import Talk, Times, Writer
from infway.kernel.chat import ChatRequest
from infway.kernel.errors import GatewayError
from infway.kernel.events import Broken, Event, Raw, Usage
from infway.kernel.faults import Failure
from infway.pipeline.gateway import Answer

_write = msgspec.json.Encoder().encode
# Settings that no upstream is told
_MINE = ("background", "previous_response_id", "store")
Keep = Callable[[str, bytes], None]


class Wishes(NamedTuple):
    """What the reply should look like.

    `settings`: those that the response tells. `created`: when it was asked for, Unix seconds. `summed`: thoughts are told as a summary. `keep`
    stores a response that is over, with its status; None where it is not to be stored.
    """

    settings: Mapping[str, object]
    created: int
    summed: bool = False
    cost: bool = False
    keep: Keep | None = None


class ResponsesTalk(Talk):
    """One request for a response."""

    def __init__(self, ask: ChatRequest, wishes: Wishes) -> None:
        super().__init__(ask)
        self.wishes = wishes
        self.id = f"resp_{ask.id}"

    def whole(self, answer: Answer, times: Times) -> bytes:
        """Return the body of a whole reply."""
        status, body = self.told(answer, times)
        self.keep(status, body)
        return body

    def told(self, answer: Answer, times: Times) -> tuple[str, bytes]:
        """Return the status and the body of a whole reply."""
        raw = next((event for event in answer.first if isinstance(event, Raw)), None)
        if raw is not None and answer.attempt.mirrored:
            return patched(raw.data, self.own(answer.offer.model) | self.cost(answer))
        output = Output(Silence(), self.ask.id, summed=self.wishes.summed)
        for event in answer.first:
            output.hear(event)
        output.end()
        said = self.over(output, answer, times)
        return str(said["status"]), _write(said)

    def writer(self, answer: Answer, times: Times) -> Writer:
        """Return what writes a stream."""
        if answer.attempt.mirrored:
            return Mirrored(self.own(answer.offer.model), lambda: self.cost(answer), self.keep)
        return _Translated(self, answer, times)

    def late(
        self,
        error: GatewayError,
        times: Times,  # noqa: ARG002 - when it was asked for is known
    ) -> bytes:
        """Return the error, and the response that failed."""
        frames = Frames()
        model = self.ask.selection.model or ""
        fail(frames, error, self.response(State("failed"), model))
        return frames.take() + DONE

    def warmed(self, model: str, now: int) -> bytes:
        """Return the events of a response that nothing was made for; it may be gone on from."""
        frames = Frames()
        frames.tell("response.created", {"response": self.response(State("in_progress"), model)})
        over = State("completed", usage=usage_object(Usage(0, 0, 0)), completed_at=now)
        response = self.response(over, model)
        frames.tell("response.completed", {"response": response})
        self.keep("completed", _write(response))
        return frames.take()

    def own(self, model: str) -> dict[str, object]:
        """Return the fields of a response that are infway's, whoever made it."""
        mine = {name: self.wishes.settings[name] for name in _MINE}
        return {"id": self.id, "model": model, **mine}

    def cost(self, answer: Answer) -> dict[str, object]:
        """Return what the answer cost, where that was asked for."""
        return bill_fields(answer.settlement.bill()) if self.wishes.cost else {}

    def response(self, state: State, model: str) -> dict[str, object]:
        """Return the response as it is now."""
        wishes = self.wishes
        return response_object(self.id, wishes.created, model, wishes.settings, state)

    def over(self, output: Output, answer: Answer, times: Times) -> dict[str, object]:
        """Return the response of a reply that is over."""
        why = output.incomplete()
        reason = output.finish.reason if output.finish is not None else "error"
        status = "incomplete" if why else "failed" if reason == "error" else "completed"
        error = None
        if status == "failed":
            error = {"code": "server_error", "message": "The model's server ended with an error."}
        state = State(
            status,
            output.items,
            error,
            why,
            usage_object(answer.usage),
            output.service_tier or "default",
            times.created() if status == "completed" else None,
        )
        return self.response(state, answer.offer.model) | self.cost(answer)

    def keep(self, status: str, body: bytes) -> None:
        """Store the response, where it is to be stored."""
        if self.wishes.keep is not None:
            self.wishes.keep(status, body)


class _Translated:
    """Writes the stream of an upstream of another dialect."""

    def __init__(self, talk: ResponsesTalk, answer: Answer, times: Times) -> None:
        self._talk = talk
        self._answer = answer
        self._times = times
        self._frames = Frames()
        self._output = Output(self._frames, talk.ask.id, summed=talk.wishes.summed)
        begun = talk.response(State("in_progress"), answer.offer.model)
        self._frames.tell("response.created", {"response": begun})
        self._frames.tell("response.in_progress", {"response": begun})

    def encode(self, events: Sequence[Event]) -> bytes:
        """Return the frames of events."""
        for event in events:
            if isinstance(event, Broken):
                self._break(event.failure)
            else:
                self._output.hear(event)
        return self._frames.take()

    def close(self) -> bytes:
        """Return the end of the items and of the response."""
        self._output.end()
        response = self._talk.over(self._output, self._answer, self._times)
        status = str(response["status"])
        self._frames.tell(f"response.{status}", {"response": response})
        self._talk.keep(status, _write(response))
        return self._frames.take() + DONE

    def cut(self) -> bytes:
        """Return the sentinel."""
        return DONE

    def _break(self, failure: Failure) -> None:
        self._output.end()
        state = State("failed", self._output.items)
        response = self._talk.response(state, self._answer.offer.model)
        self._talk.keep("failed", fail(self._frames, broken(failure), response))
