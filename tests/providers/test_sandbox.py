"""The simulated upstreams: the same for the same request, priced, limited, and failing at times."""

import json

import msgspec
import pytest
from tests.providers.reading import broken, decode, finishes, text, usage
from tests.wall.asking import ask, offer, upstream

from infway.kernel.chat import Scripted
from infway.kernel.faults import Fault
from infway.providers.sandbox import PROFILES, Sandbox

ADAPTER = Sandbox()


def played(request_id: str = "r-1", name: str = "swift", **said: object) -> Scripted:
    source = upstream(name, dialect="sandbox")
    source = type(source)(name, "sandbox", "sandbox", f"sandbox://local/{name}")
    script = ADAPTER.request(ask(id=request_id, **said), offer("n", source)).script
    assert script is not None
    return script


def events_of(script: Scripted):
    return decode(ADAPTER.decoder(), [piece for _, piece in script.pieces])


def test_a_request_gets_the_same_answer_each_time():
    assert played() == played()


def test_the_answer_says_what_it_is_and_what_was_asked():
    events = events_of(played())
    assert "simulated upstream 'swift'" in text(events)
    assert text(events).endswith("You said: Hello")
    assert broken(events) is None
    assert usage(events).prompt == 25
    assert usage(events).completion == len(text(events).split())


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ([{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}], "a b"),
        (None, "nothing"), ("", "nothing"), ("x" * 900, "x" * 500),
    ],
)  # fmt: skip
def test_every_kind_of_content_is_understood(content: object, seen: str):
    raw = msgspec.Raw(json.dumps([{"role": "user", "content": content}]).encode())
    assert text(events_of(played(fields={"messages": raw}))).endswith(f"You said: {seen}")


def test_a_limit_ends_the_answer_with_length():
    events = events_of(played(output_tokens=3))
    assert len(text(events).split()) == 3
    assert finishes(events)[0].reason == "length"


def test_the_share_of_outages_is_about_what_the_profile_says():
    scripts = [played(f"r-{n}", "shaky") for n in range(1000)]
    failed = sum(script.status == 503 for script in scripts)
    assert abs(failed / 1000 - PROFILES["shaky"].failing) < 0.05
    assert all(played(f"r-{n}", "swift").status == 200 for n in range(100))


def test_pauses_add_up_to_the_profiles_times():
    script = played()
    profile = PROFILES["swift"]
    assert script.pieces[0][0] == profile.start
    assert script.pieces[1][0] == pytest.approx(1 / profile.speed)
    assert script.pieces[-1][0] == 0


@pytest.mark.parametrize(("status", "fault"), [(500, Fault.HTTP_500), (503, Fault.HTTP_5XX)])
def test_an_outage_is_named(status: int, fault: Fault):
    assert ADAPTER.fault(status, {}, b"").fault is fault
