"""`countTokens`: how many tokens a model would read, counted by infway itself."""

from collections.abc import Mapping

import msgspec

from infway.api.bulk import read_beside
from infway.api.counted import counted, told_where
from infway.api.exchange import Exchange
from infway.api.gemini.body import CountBody, GenerateBody
from infway.api.gemini.errors import refusal_of
from infway.api.gemini.paths import model_of
from infway.api.gemini.reading import read_sent, sent_object, typed
from infway.api.reading import below
from infway.api.served import ServedEndpoint, usable
from infway.kernel.chat import ChatRequest
from infway.kernel.errors import CallerError, GatewayError
from infway.pipeline.gateway import Gateway
from infway.providers.counting.chats import count_chat
from infway.providers.shapes import as_object

_ASKED = frozenset(GenerateBody.__struct_encode_fields__)
_WHOLE = "generateContentRequest"
_write = msgspec.json.Encoder().encode


class CountEndpoint(ServedEndpoint[Gateway]):
    """Answers requests to count; nothing is asked of any upstream, and nothing is billed."""

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        who, body = await self.received(exchange, exchange.query)
        model = model_of(path_model)
        ask = await read_beside(body, lambda: _read(body, exchange.request_id, model))
        if exchange.visit is not None:
            await exchange.visit.enter(None)
        with told_where():
            meaning = self.gateway.router.catalog.resolve(ask.selection.model)
        native = usable(meaning.offers, who).native
        count = await counted(lambda weigh: count_chat(ask, native, weigh))
        await self.tell(exchange, _write({"totalTokens": count.tokens}))

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error in Google's shape."""
        return refusal_of(error)


def _read(body: bytes, request_id: str, model: str | None) -> ChatRequest:
    """Return the request whose tokens are counted: all of one, or what stands at the root.

    Raises CallerError with the field; the model is named by the path.
    """
    said = sent_object(body)
    typed(said, CountBody)
    whole = as_object(said.get(_WHOLE))
    if not whole:
        return _asked(said, request_id, model)
    try:
        return _asked(whole, request_id, model)
    except CallerError as error:
        raise (error if error.param == "model" else below(_WHOLE, error)) from error


def _asked(said: Mapping[str, object], request_id: str, model: str | None) -> ChatRequest:
    prompt = {name: value for name, value in said.items() if name in _ASKED}
    ask, _ = read_sent(prompt, request_id, model)
    return ask
