"""`countTokens`: how many tokens a model would read, counted by infway itself."""

from collections.abc import Callable, Mapping

import msgspec

from infway.accounts.keys import Keyring
from infway.api.auth import know
from infway.api.bulk import read_beside
from infway.api.counted import counted
from infway.api.errors import Header
from infway.api.exchange import Exchange
from infway.api.gemini.body import CountBody, GenerateBody
from infway.api.gemini.errors import refusal_of
from infway.api.gemini.paths import model_of
from infway.api.gemini.reading import read_sent, sent_object, typed
from infway.api.line import Rules
from infway.kernel.chat import ChatRequest, Offer, Principal
from infway.kernel.errors import CallerError, GatewayError
from infway.pipeline.gateway import Gateway
from infway.providers.counting.chats import count_chat
from infway.providers.shapes import as_object

_ASKED = frozenset(GenerateBody.__struct_encode_fields__)
_write = msgspec.json.Encoder().encode


class CountEndpoint:
    """Answers requests to count; nothing is asked of any upstream, and nothing is billed."""

    def __init__(
        self,
        gateway: Gateway,
        keyring: Keyring,
        rules: Rules,
        traces: Callable[[float], list[Header]],
    ) -> None:
        self.gateway = gateway
        self.keyring = keyring
        self.rules = rules
        self._traces = traces

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        exchange.check_size(self.rules.body_limit)
        who, _ = know(self.keyring, exchange.headers, exchange.query)
        body = await exchange.read_json(self.rules.body_limit)
        model = model_of(path_model)
        ask = await read_beside(body, lambda: _read(body, exchange.request_id, model))
        native = self._offer(ask, who).native
        count = await counted(lambda: count_chat(ask, native), native, len(body))
        head = [*self._traces(exchange.began), (b"content-type", b"application/json")]
        await exchange.reply(200, head, _write({"totalTokens": count.tokens}))

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error in Google's shape."""
        return refusal_of(error)

    def _offer(self, ask: ChatRequest, who: Principal) -> Offer:
        """Return an offer of the model; raises CallerError where the key may use none."""
        meaning = self.gateway.router.catalog.resolve(ask.selection.model)
        for offer in meaning.offers:
            is_model = who.models is None or offer.model in who.models
            if is_model and (who.upstreams is None or offer.upstream.name in who.upstreams):
                return offer
        message = "This key may not use the model, or any upstream that serves it."
        raise CallerError(403, "model_not_accessible", message, "model")


def _read(body: bytes, request_id: str, model: str | None) -> ChatRequest:
    """Return the request whose tokens are counted; raises CallerError with the field."""
    ask, _ = read_sent(_prompt(sent_object(body)), request_id, model)
    return ask


def _prompt(said: Mapping[str, object]) -> dict[str, object]:
    """Return what would be asked: a whole request, or what stands at the root."""
    typed(said, CountBody)
    whole = as_object(said.get("generateContentRequest"))
    return {name: value for name, value in (whole or said).items() if name in _ASKED}
