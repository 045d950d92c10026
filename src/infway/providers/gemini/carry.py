"""Requests of Gemini's clients on their way to Google, as they were sent.

AI Studio and Vertex AI differ in little: what only one of them knows is added or left out.
"""

from collections.abc import Mapping

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.providers.conversation.parts import cannot_say
from infway.providers.gemini.adapter import HEADERS, VERTEX, Gemini, address
from infway.providers.gemini.history import rewritten
from infway.providers.gemini.models import traits_of
from infway.providers.shapes import as_object, is_object, value_of, write

DIALECT = "gemini"
_CONFIG = ("generationConfig", "generation_config")
# Fields of a chat that an upstream's row may leave out, as they are called here
_NAMES: Mapping[str, tuple[str, ...]] = {
    "temperature": ("temperature",),
    "top_p": ("topP", "top_p"),
    "top_k": ("topK", "top_k"),
    "seed": ("seed",),
    "stop": ("stopSequences", "stop_sequences"),
    "n": ("candidateCount", "candidate_count"),
    "max_tokens": ("maxOutputTokens", "max_output_tokens"),
    "presence_penalty": ("presencePenalty", "presence_penalty"),
    "frequency_penalty": ("frequencyPenalty", "frequency_penalty"),
}
_VERTEX_ALONE = ("labels",)  # AI Studio refuses what it does not know


class GeminiCarrier(Gemini):
    """The carrier of the dialect; what comes back is read as its adapter reads it."""

    def carry(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call: the body as sent, to the model's native name.

        Raises UpstreamFailed where the upstream does not speak the dialect.
        """
        upstream, native = offer.upstream, ask.native
        url = upstream.url_of(DIALECT)
        if native is None or url is None:
            return cannot_say("model", "the Gemini API is not spoken there.")
        vertex = VERTEX in url
        said, routed = upstream.told(native.fields)
        body = dict(said)
        dropped = routed + _left_out(body, upstream.drop)
        if not vertex:
            dropped += [name for name in _VERTEX_ALONE if body.pop(name, None) is not None]
        signed = traits_of(offer.native).signed
        history = rewritten(body.get("contents"), signed=signed, vertex=vertex)
        if "contents" in body:
            body["contents"] = history.contents
        dropped += history.lost
        for name, value in upstream.defaults.items() if upstream.dialect == DIALECT else ():
            mine = value_of(body.get(name))
            body[name] = {**as_object(value), **mine} if is_object(mine) else mine or value
        where = address(url, offer.native, stream=ask.stream)
        headers = upstream.headers or HEADERS
        return HttpCall(upstream.name, where, headers, write(body), tuple(sorted(dropped)))


def _left_out(body: dict[str, object], names: frozenset[str]) -> list[str]:
    """Take out what the upstream's row leaves out; return what was there."""
    dropped = [name for name in names if body.pop(name, None) is not None]
    for held in _CONFIG if names else ():
        config = value_of(body.get(held))
        if is_object(config):
            for name in names & _NAMES.keys():
                spelled = [one for one in _NAMES[name] if config.pop(one, None) is not None]
                dropped += [f"{held}.{one}" for one in spelled]
            body[held] = config
    return dropped
