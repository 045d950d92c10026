"""The endpoints in front of the web framework, a line each: which paths, and what answers them."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from infway.accounts.keys import Keyring
from infway.api.anthropic.counting import CountTokensEndpoint
from infway.api.anthropic.endpoint import MessagesEndpoint
from infway.api.auth import know
from infway.api.chat import ChatEndpoint
from infway.api.completions.endpoint import CompletionsEndpoint
from infway.api.embeddings import EmbeddingsEndpoint
from infway.api.errors import Header
from infway.api.gemini.paths import key_query
from infway.api.gemini.served import Lines, gemini_endpoints
from infway.api.line import Rules
from infway.api.operations import (
    CHAT,
    COMPACT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    INPUT_TOKENS,
    MESSAGES,
    QUEUE,
    RESPONSES,
    TOKEN_COUNTER,
)
from infway.api.passing.served import passing_endpoints
from infway.api.queue import QueueEndpoint
from infway.api.responses.compacting import CompactEndpoint
from infway.api.responses.counting import InputTokensEndpoint
from infway.api.responses.socket import SocketEndpoint
from infway.api.routes import Endpoint, Family, Routes
from infway.api.tokens import TokensEndpoint
from infway.kernel.clock import Clock
from infway.kernel.errors import GatewayError
from infway.kernel.work import Trade
from infway.pipeline.admit import Visits
from infway.pipeline.background import Background
from infway.pipeline.embedding import EmbeddingGateway
from infway.pipeline.gateway import Gateway
from infway.pipeline.passing import PassingGateway


class Behind(NamedTuple):
    """What answers: chats, chats that wait their turn, embeddings, and all other work."""

    chats: Gateway
    queued: Gateway
    embeddings: EmbeddingGateway
    work: Mapping[Trade, PassingGateway]


class Endpoints:
    """All of them, with one configuration. `traces`: the headers of every reply."""

    def __init__(
        self,
        behind: Behind,
        keyring: Keyring,
        rules: Rules,
        clock: Clock,
        background: Background,
        visits: Visits,
    ) -> None:
        gateway, queued, embedding, work = behind
        chat = ChatEndpoint(gateway, keyring, rules, clock)
        self.traces: Callable[[float], list[Header]] = chat.traces
        self.keyring = keyring
        self._served: tuple[tuple[Family, Endpoint], ...] = (
            # before chats: a path that names the model ends like theirs
            (QUEUE, QueueEndpoint(queued, keyring, rules, clock)),
            (CHAT, chat),
            (EMBEDDINGS, EmbeddingsEndpoint(embedding, keyring, rules, self.traces)),
            (TOKEN_COUNTER, TokensEndpoint(gateway, embedding, keyring, rules, self.traces)),
            (MESSAGES, MessagesEndpoint(gateway, keyring, rules, clock)),
            (COUNT_TOKENS, CountTokensEndpoint(gateway, keyring, rules, self.traces)),
            (RESPONSES, SocketEndpoint(gateway, keyring, rules, clock, background)),
            (INPUT_TOKENS, InputTokensEndpoint(gateway, keyring, rules, clock, background)),
            (COMPACT, CompactEndpoint(gateway, keyring, rules, clock, background)),
            *gemini_endpoints(Lines(gateway, embedding, self.traces), keyring, rules, clock),
            *passing_endpoints(work, keyring, rules, self.traces),
            # last: a path that names the model ends like those of chats
            (COMPLETIONS, CompletionsEndpoint(gateway, keyring, rules, clock)),
        )

        self._visits = visits
        for _, endpoint in self._served:
            endpoint.visits = visits

    def routes(self) -> Routes:
        """Return where requests go."""
        return Routes(self._served, self._standing)

    async def _standing(self, path: str, query: bytes, headers: Sequence[Header]) -> list[Header]:
        """Return where the limits of a key stand that asked no model for anything."""
        try:
            who, _ = know(self.keyring, headers, key_query(path, query))
        except GatewayError:
            return []
        return await self._visits.standing(who)

    def swap(self, keyring: Keyring, rules: Rules) -> None:
        """Use another configuration from the next request on."""
        self.keyring = keyring
        for _, endpoint in self._served:
            endpoint.keyring, endpoint.rules = keyring, rules
