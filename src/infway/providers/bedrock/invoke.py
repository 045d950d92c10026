"""Claude by Amazon Bedrock's InvokeModel: Anthropic's messages in AWS's framing.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html.
Models of other makers have a body each there, and are served by Converse.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.errors import UpstreamFailed
from infway.kernel.events import Event
from infway.kernel.faults import Failure, Fault
from infway.providers.anthropic.reply import MessageReader, whole_message
from infway.providers.anthropic.request import call_of
from infway.providers.bedrock.faults import exception_in, fault_of, inband_fault, is_error
from infway.providers.eventstream import Message, MessageFramer
from infway.providers.objects import ObjectDecoder
from infway.providers.shapes import Object, as_text, read_object


class BedrockInvoke:
    """The adapter of the dialect."""

    def request(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        """Return the call; raises UpstreamFailed(untranslatable) for what has no words in it."""
        return call_of(ask, offer)

    def whole(self, body: bytes) -> list[Event]:
        """Return the events of a whole reply; raises UpstreamFailed where it is none."""
        message = read_object(body)
        if message is None:
            raise UpstreamFailed(Failure(Fault.INVALID_JSON, 200))
        if is_error(message) and "content" not in message:
            raise UpstreamFailed(inband_fault("", message))
        return whole_message(message)

    def decoder(self) -> ObjectDecoder:
        """Return a new decoder."""
        return ObjectDecoder(MessageReader(), Messages())

    def limits(self, headers: Mapping[str, str]) -> None:
        """Bedrock says nothing of what is left."""

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        """Name an error reply by the exception's name, then the status, then the text."""
        return fault_of(status, headers, body)


class Messages:
    """Cuts AWS's framing: each message of a stream carries one event, in base64."""

    def __init__(self) -> None:
        self._framer = MessageFramer()

    def cut(self, data: bytes) -> Iterator[Object]:
        """Return the events of the messages that are whole with `data`; raises UpstreamFailed."""
        return map(_event, self._framer.feed(data))


def _event(message: Message) -> dict[str, object]:
    """Return the event in a message; raises UpstreamFailed where it is none, or an exception."""
    if message.headers.get(":message-type") != "event":
        raise UpstreamFailed(exception_in(message))
    chunk = read_object(message.payload) or {}
    try:
        event = read_object(base64.b64decode(as_text(chunk.get("bytes")), validate=True))
    except (binascii.Error, ValueError):
        event = None
    if event is None:
        raise UpstreamFailed(Failure(Fault.BAD_EVENT, 200))
    return event
