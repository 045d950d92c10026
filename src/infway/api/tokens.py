"""How many tokens a prompt or a conversation has for a model: LiteLLM's token counter.

Nothing is asked of any upstream, and nothing is billed. A model that infway does not know is
counted by its name; one that the key may not use is refused.
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from infway.accounts.keys import Keyring
from infway.api.bulk import read_beside
from infway.api.counted import counted
from infway.api.errors import Header, error_body
from infway.api.exchange import Exchange
from infway.api.gemini.notes import Notes
from infway.api.gemini.reading import chat_fields
from infway.api.gemini.spelling import camelled
from infway.api.line import Rules
from infway.api.reading import check_messages, refuse
from infway.api.replies import ErrorBody
from infway.api.schema import Message
from infway.api.served import ServedEndpoint, usable
from infway.api.unreadable import not_json
from infway.kernel.chat import ChatRequest, Feature, Offer, Principal, Selection
from infway.kernel.errors import CallerError, GatewayError
from infway.pipeline.embedding import EmbeddingGateway
from infway.pipeline.gateway import Gateway
from infway.providers.counting import Count, Weigh, count_chat, count_texts, knows
from infway.providers.shapes import is_object, read_object

_INPUTS = ("prompt", "messages", "contents")


class TokenCounterBody(Struct):
    """What is counted: exactly one of `prompt`, `messages` and Gemini's `contents`.

    `system` and `tools` are read beside it. A prompt alone is counted as bare text; with one of
    these it is a message of the user.
    """

    model: str
    prompt: str | list[str] | None = None
    messages: list[dict[str, Any]] | None = None
    contents: list[dict[str, Any]] | None = None
    system: str | list[dict[str, Any]] | None = None
    tools: list[dict[str, Any]] | None = None


class TokenCounterReply(Struct):
    """LiteLLM's four fields. `exact`: the model's own vocabulary and rules; else an estimate.

    `model_used`: the upstream's name of the model, or the one asked for where it is not known.
    """

    total_tokens: int
    request_model: str
    model_used: str
    tokenizer_type: Literal["openai_tokenizer", "huggingface_tokenizer"]
    exact: bool


class DetailedError(ErrorBody, kw_only=True):
    """The one error body with its message once more, where LiteLLM's clients read it."""

    detail: str


class _Conversation(Struct):
    """The messages as the chat endpoint reads them."""

    messages: list[Message] | None = None


_read = msgspec.json.Decoder(TokenCounterBody).decode
_read_conversation = msgspec.json.Decoder(_Conversation).decode
_write = msgspec.json.Encoder().encode


class TokensEndpoint(ServedEndpoint[Gateway]):
    """Answers requests to count. The gateways know the models."""

    def __init__(
        self,
        gateway: Gateway,
        embedding: EmbeddingGateway,
        keyring: Keyring,
        rules: Rules,
        traces: Callable[[float], list[Header]],
    ) -> None:
        super().__init__(gateway, keyring, rules, traces)
        self.embedding = embedding

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:  # noqa: ARG002 - no path of this family names a model
        """Answer one exchange; raises GatewayError where the edge has to."""
        who, body = await self.received(exchange)
        said = await read_beside(body, lambda: _said(body))
        if exchange.visit is not None:
            await exchange.visit.enter(None)
        offer = self._offer(said.model, who)
        name = _counted_as(said.model, offer)
        counter = await read_beside(body, lambda: _counter(said, name, exchange.request_id))
        count = await counted(counter)
        used = said.model if offer is None else offer.native
        reply = TokenCounterReply(count.tokens, said.model, used, "openai_tokenizer", count.exact)
        await self.tell(exchange, _write(reply))

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error, with `detail` beside it as LiteLLM's clients read it."""
        fields = read_object(error_body(error)) or {}
        return _write({**fields, "detail": error.message})

    def _offer(self, model: str, who: Principal) -> Offer | None:
        """Return what serves a model, None where nothing does; raises CallerError 403."""
        routers = (self.gateway.router, self.embedding.router)
        meanings = [router.catalog.find(model) for router in routers]
        offers = [offer for one in meanings if one is not None for offer in one.offers]
        return usable(offers, who) if offers else None


def _said(body: bytes) -> TokenCounterBody:
    """Return what was sent; raises CallerError with the field."""
    try:
        if not body.isascii():
            body.decode()
        said = _read(body)
        check_messages(_read_conversation(body).messages or [])
    except msgspec.ValidationError as error:
        refuse(error, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(body, error) from error
    given = [name for name in _INPUTS if getattr(said, name) is not None]
    if not given:
        message = "prompt or messages must be provided"
        raise CallerError(400, "missing_required_field", message, "messages")
    if len(given) > 1:
        message = f"{given[0]}: cannot be counted together with {given[1]}."
        raise CallerError(400, "invalid_field", message, given[0])
    if not said.model.strip():
        raise CallerError(400, "invalid_field", "model: must not be empty.", "model")
    return said


def _counted_as(model: str, offer: Offer | None) -> str:
    """Return the name that says most: a deployment may be called as nobody knows."""
    names = (model,) if offer is None else (offer.native, offer.model, model)
    return next(filter(knows, names), names[0])


def _counter(said: TokenCounterBody, model: str, request_id: str) -> Callable[[Weigh], Count]:
    """Return what counts; raises CallerError with the path of what cannot be read."""
    is_bare = not said.system and not said.tools
    if said.prompt is not None and is_bare:
        texts = [said.prompt] if isinstance(said.prompt, str) else said.prompt
        return lambda weigh: count_texts(texts, model, weigh)
    fields: dict[str, object] = {"messages": _messages(said), "tools": said.tools or []}
    ask = ChatRequest(request_id, fields, False, Selection(), Feature(0), 0, 0, None, None)
    return lambda weigh: count_chat(ask, model, weigh)


def _messages(said: TokenCounterBody) -> list[object]:
    messages: list[object] = [{"role": "system", "content": said.system}] if said.system else []
    if said.prompt is not None:
        texts = [said.prompt] if isinstance(said.prompt, str) else said.prompt
        return [*messages, *({"role": "user", "content": text} for text in texts)]
    if said.messages is not None:
        return [*messages, *said.messages]
    try:
        contents = camelled({"contents": said.contents})
        read = chat_fields(contents, Notes()) if is_object(contents) else {}
    except RecursionError as error:
        message = "The JSON is nested too deeply."
        raise CallerError(400, "invalid_request_body", message) from error
    found = read.get("messages")
    return [*messages, *(found if isinstance(found, list) else [])]
