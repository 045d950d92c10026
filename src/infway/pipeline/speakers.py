"""Who speaks for an offer: the adapter of its dialect, or of its caller's where the offer speaks it."""

from collections.abc import Mapping
from typing import NamedTuple

from infway.kernel.begun import Said
from infway.kernel.chat import ChatRequest, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault
from infway.pipeline.rescue_asking import Resuming, tactic_of
from infway.providers.adapter import Adapter
from infway.providers.completions.unanswered import Unanswered, is_unanswered
from infway.providers.dialects import DIALECTS
from infway.providers.mirror import Carrier, Mirror
from infway.providers.openai.opened import Opened
from infway.providers.openai.summed import Summed, wanted_of

_CHAT = frozenset({"openai", "sandbox"})  # dialects whose frames are passed on to callers of chats


class Speaker(NamedTuple):
    """An adapter for one attempt. `mirrored`: the reply comes in the caller's own dialect.

    `tactic`: how it goes on with an answer that broke off, empty for an answer of its own.
    """

    adapter: Adapter
    mirrored: bool = False
    streams_json: bool = False
    tactic: str = ""


class Speakers:
    """The adapters, and what they are for callers of other dialects than chats."""

    def __init__(self, adapters: Mapping[str, Adapter], carriers: Mapping[str, Carrier]) -> None:
        self._plain = {
            name: Speaker(adapter, streams_json=DIALECTS[name].streams_json)
            for name, adapter in adapters.items()
        }
        self._opened = {
            name: speaker._replace(adapter=Opened(speaker.adapter)) if name in _CHAT else speaker
            for name, speaker in self._plain.items()
        }
        self._mirrors = {
            name: Speaker(Mirror(carrier), mirrored=True) for name, carrier in carriers.items()
        }

    def opened(self, speaker: Speaker, offer: Offer) -> Adapter:
        """Return who takes a reply of a speaker apart, whatever form it has."""
        return speaker.adapter if speaker.mirrored else self._opened[offer.upstream.dialect].adapter

    def of(self, ask: ChatRequest, offer: Offer) -> Speaker:
        """Return who asks an offer, and understands what it says."""
        if ask.said is not None:
            return self._resuming(ask, ask.said, offer)
        native = ask.native
        if native is None:
            speaker = self._plain[offer.upstream.dialect]
            return speaker if "n" not in ask.fields else _fitted(speaker, ask, offer)
        if offer.upstream.url_of(native.dialect) is not None:
            return _fitted(self._mirrors[native.dialect], ask, offer)
        return _fitted(self._opened[offer.upstream.dialect], ask, offer)

    def _resuming(self, ask: ChatRequest, said: Said, offer: Offer) -> Speaker:
        """Return who asks for the rest of an answer; its reply always comes in pieces."""
        plain = self._opened.get(offer.upstream.dialect)
        if plain is None:
            raise UpstreamFailed(Failure(Fault.UNTRANSLATABLE))
        tactic = tactic_of(ask, said, offer)
        resuming = Resuming(plain.adapter, said, offer, tactic)
        return Speaker(resuming, streams_json=plain.streams_json, tactic=tactic)


def _fitted(speaker: Speaker, ask: ChatRequest, offer: Offer) -> Speaker:
    """Return who knows besides how many choices a request wants, or that it wants no token."""
    wanted = wanted_of(ask)
    if wanted is not None:
        speaker = speaker._replace(adapter=Summed(speaker.adapter, wanted))
    if is_unanswered(ask, offer):
        speaker = speaker._replace(adapter=Unanswered(speaker.adapter, ask))
    return speaker
