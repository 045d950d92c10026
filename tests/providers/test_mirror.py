"""Passing a dialect on: every byte of the upstream comes through, with the events that it means."""

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.providers.anthropic_saying import begin, end, frame, say
from tests.providers.reading import broken, cut_at, decode
from tests.wall.asking import ask, offer

from infway.kernel.chat import ChatRequest, HttpCall, Offer
from infway.kernel.events import Event, Finish, Raw, Text, Usage
from infway.providers.anthropic.adapter import Anthropic
from infway.providers.mirror import Mirror

PING = frame("ping")
STREAM = begin() + PING + say("Hel\u2028", "lo", " you") + PING + end()


class Carrier(Anthropic):
    """Claude's dialect with the caller's own body."""

    def carry(self, ask: ChatRequest, offer: Offer) -> HttpCall:
        return HttpCall(offer.upstream.name, offer.upstream.chat_url, {}, b"{}")


MIRROR = Mirror(Carrier())


def raw(events: list[Event]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Raw))


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_a_stream_comes_through_byte_for_byte_in_every_cut(places: list[int]) -> None:
    events = decode(MIRROR.decoder(), cut_at(STREAM, places))
    assert raw(events) == STREAM
    meant = [event for event in events if not isinstance(event, Raw)]
    assert "".join(one.text for one in meant if isinstance(one, Text)) == "Hel\u2028lo you"
    assert [one.reason for one in meant if isinstance(one, Finish)] == ["stop"]
    assert [one.completion for one in meant if isinstance(one, Usage)][-1] == 7


@given(st.integers(1, len(STREAM) - 1))
def test_a_cut_stream_is_broken_and_nothing_of_it_is_made_up(place: int) -> None:
    events = decode(MIRROR.decoder(), [STREAM[:place]])
    assert broken(events) is not None
    assert STREAM.startswith(raw(events))


def test_frames_that_say_nothing_wait_for_the_first_that_does() -> None:
    decoder = MIRROR.decoder()
    assert decoder.feed(begin() + PING) == []
    first = decoder.feed(say("Hi"))
    assert raw(first) == begin() + PING + say("Hi")


def test_a_whole_reply_comes_with_its_body() -> None:
    content = [{"type": "text", "text": "Hi"}]
    said = {"id": "m", "content": content, "stop_reason": "end_turn", "usage": {"input_tokens": 1}}
    body = json.dumps({**said, "container": {"id": "kept"}}).encode()
    events = MIRROR.whole(body)
    assert raw(events) == body
    assert [one.text for one in events if isinstance(one, Text)] == ["Hi"]


def test_the_carrier_says_what_is_sent() -> None:
    assert MIRROR.request(ask(), offer()).body == b"{}"
