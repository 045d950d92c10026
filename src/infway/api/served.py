"""What endpoints have in common that write no stream of a chat: what is told of all of them."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from infway.accounts.keys import Keyring
from infway.api.auth import know
from infway.api.errors import Header, error_body
from infway.api.exchange import ID_HEADERS, Exchange
from infway.api.line import Rules
from infway.kernel.chat import Offer, Principal
from infway.kernel.errors import CallerError, GatewayError
from infway.pipeline.admit import Visits

_Gateway = TypeVar("_Gateway")


class ServedEndpoint(Generic[_Gateway]):
    """An endpoint. `keyring` and `rules` are swapped when settings are read again.

    `visits`: what keeps to the limits of keys. `traces`: the headers of every reply, from when the request was received.
    """

    visits: Visits
    id_headers: tuple[bytes, ...] = ID_HEADERS

    def __init__(
        self,
        gateway: _Gateway,
        keyring: Keyring,
        rules: Rules,
        traces: Callable[[float], list[Header]],
    ) -> None:
        self.gateway = gateway
        self.keyring = keyring
        self.rules = rules
        self.traces = traces

    async def received(self, exchange: Exchange, query: bytes = b"") -> tuple[Principal, bytes]:
        """Return who asks, and the JSON; raises CallerError. `query`: where a key in it counts."""
        exchange.check_size(self.rules.body_limit)
        who, _ = know(self.keyring, exchange.headers, query)
        if who.account is not None:
            exchange.visit = self.visits.of(who, exchange.request_id)
        return who, await exchange.read_json(self.rules.body_limit)

    async def tell(self, exchange: Exchange, body: bytes) -> None:
        """Answer with what infway itself found out."""
        head = [*self.traces(exchange.began), (b"content-type", b"application/json")]
        head.append((b"cache-control", b"private, no-store"))
        await exchange.reply(200, head, body)

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error."""
        return error_body(error)


def usable(offers: Iterable[Offer], who: Principal) -> Offer:
    """Return the first offer that a key may use; raises CallerError 403 where there is none."""
    for offer in offers:
        is_model = who.models is None or offer.model in who.models
        if is_model and (who.upstreams is None or offer.upstream.name in who.upstreams):
            return offer
    message = "This key may not use the model, or any upstream that serves it."
    raise CallerError(403, "model_not_accessible", message, "model")
