"""The endpoints in front of the web framework, a line each: which paths, and what answers them."""

from collections.abc import Callable
from typing import Protocol

from infway.accounts.keys import Keyring
from infway.api.chat import ChatEndpoint
from infway.api.embeddings import EmbeddingsEndpoint
from infway.api.errors import Header
from infway.api.line import Rules
from infway.api.operations import CHAT, EMBEDDINGS
from infway.api.routes import Endpoint, Family, Routes
from infway.kernel.clock import Clock
from infway.pipeline.embedding import EmbeddingGateway
from infway.pipeline.gateway import Gateway


class _Swapped(Endpoint, Protocol):
    """An endpoint whose configuration can be swapped while it answers."""

    keyring: Keyring
    rules: Rules


class Endpoints:
    """All of them, with one configuration. `traces`: the headers of every reply."""

    def __init__(
        self,
        gateway: Gateway,
        embedding: EmbeddingGateway,
        keyring: Keyring,
        rules: Rules,
        clock: Clock,
    ) -> None:
        chat = ChatEndpoint(gateway, keyring, rules, clock)
        self.traces: Callable[[float], list[Header]] = chat.traces
        self.keyring = keyring
        self._served: tuple[tuple[Family, _Swapped], ...] = (
            (CHAT, chat),
            (EMBEDDINGS, EmbeddingsEndpoint(embedding, keyring, rules, self.traces)),
        )

    def routes(self) -> Routes:
        """Return where requests go."""
        return Routes(self._served)

    def swap(self, keyring: Keyring, rules: Rules) -> None:
        """Use another configuration from the next request on."""
        self.keyring = keyring
        for _, endpoint in self._served:
            endpoint.keyring, endpoint.rules = keyring, rules
