"""How another offer is asked to finish an answer that broke off: from its beginning, or once more."""

from dataclasses import replace

import msgspec

from infway.kernel.begun import Prefill, Said
from infway.kernel.chat import ChatRequest, Feature, HttpCall, Offer
from infway.kernel.faults import CONSEQUENCES, Blame, Failure, Fault
from infway.pipeline.rescue_joint import PREFILL, SPLICE, SURE, Prefilled, Splice, loops, sent_of
from infway.pipeline.tried import Attempt
from infway.providers.adapter import Adapter, Decoder

_LIMITS = ("max_tokens", "max_completion_tokens")
# With these the beginning of an answer is refused, or does not bind what follows: of reasoning
# nothing may have begun, a schema is watched over from its first letter, and the caller's own
# prefill is no message to go on with.
_UNFIT = Feature.REASONING | Feature.JSON_OBJECT | Feature.JSON_SCHEMA | Feature.PREFILL
_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(int).decode


class Resuming:
    """An adapter's way to ask one offer for the rest of an answer."""

    def __init__(self, adapter: Adapter, said: Said, offer: Offer, tactic: str) -> None:
        self._adapter = adapter
        self._said = said
        self._offer = offer
        self._tactic = tactic
        self.limits = adapter.limits
        self.fault = adapter.fault
        self.whole = adapter.whole

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call: the same again, or with the answer's beginning."""
        prefill = offer.prefill
        if self._tactic == SPLICE or prefill is None:
            return self._adapter.request(ask, offer)
        call = self._adapter.request(_begun(ask, self._said, prefill), offer)
        if prefill.moved is None:
            return call
        return replace(call, url=call.url.replace(*prefill.moved, 1))

    def decoder(self) -> Decoder:
        """Return a decoder that passes on what comes behind the joint."""
        kind = Prefilled if self._tactic == PREFILL else Splice
        return kind(self._adapter.decoder(), self._said, self._offer)


def tactic_of(ask: ChatRequest, said: Said, offer: Offer) -> str:
    """Return how an offer is asked to go on with what was said."""
    prefill = offer.prefill
    if prefill is None or said.reasoning or ask.features & _UNFIT:
        return SPLICE
    if said.refused is not None and offer.index in said.refused:
        return SPLICE
    sent = sent_of(said.text, prefill)
    is_clear = not prefill.repeats or (len(sent) >= SURE and not loops(sent))
    return PREFILL if sent.strip() and is_clear else SPLICE


def _begun(ask: ChatRequest, said: Said, prefill: Prefill) -> ChatRequest:
    """Return the request with the beginning of its answer, and so many tokens less to go."""
    message = {"role": "assistant", "content": sent_of(said.text, prefill), **prefill.marks}
    fields = dict(ask.fields)
    raw = fields["messages"]
    if isinstance(raw, msgspec.Raw):
        fields["messages"] = msgspec.Raw(bytes(raw).rstrip()[:-1] + b"," + _write(message) + b"]")
    for name in _LIMITS:
        limit = fields.get(name)
        if isinstance(limit, msgspec.Raw):
            fields[name] = msgspec.Raw(b"%d" % max(1, _read(limit) - said.tokens))
    fields |= prefill.fields
    return ask._replace(fields=fields, features=ask.features | Feature.PREFILL)


def refused(ask: ChatRequest, attempt: Attempt, failure: Failure) -> Failure:
    """Return what an error reply means: whoever will not go on with an answer may begin it anew."""
    said = ask.said
    if said is None or said.refused is None or attempt.tactic != PREFILL:
        return failure
    if CONSEQUENCES[failure.fault].blame is not Blame.CALLER:
        return failure
    said.refused.add(attempt.offer.index)
    return Failure(Fault.PREFILL_REFUSED, failure.status)
