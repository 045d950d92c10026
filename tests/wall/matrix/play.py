"""How a `Case` is played, and how everything it says is looked at."""

from collections import Counter
from collections.abc import Sequence

from tests.api.caller import Heard, refused
from tests.wall import ANSWER
from tests.wall.matrix.case import Case
from tests.wall.matrix.stage import NAMES, Stage

from infway.kernel.faults import CONSEQUENCES, Fault
from infway.ledger.rows import Row

_FAULTS = {fault.value: fault for fault in Fault}
_PAID = ("ok", "client_gone", "slow_client")
_NOTHING = {"0": (0, 0, 0), "unknown": (0, 0, 1), "tokens": (25, 60, 0)}


async def play(case: Case, stage: Stage, *, stream: bool) -> None:
    """Play one case one way."""
    settings = dict(case.settings)
    limits = dict(case.limits)
    await stage.open(*case.offers, limits=limits, **settings)
    heard = await stage.ask(stream=stream, **case.body)
    _check_reply(case, heard, stream=stream)
    request, attempts = await stage.rows()
    told = [f"{row.upstream}:{row.outcome}" for row in attempts]
    assert told == list(case.attempts)
    assert request.outcome == (case.outcome or attempts[-1].outcome)
    assert request.status == case.status
    assert request.cost == charged(attempts)
    for row, billed in zip(attempts, _billed(case), strict=True):
        _check_bill(row, billed)
    asked = Counter(one.partition(":")[0] for one in case.attempts)
    seen = case.seen or tuple(asked[name] for name in NAMES[: len(case.offers)])
    assert tuple(stage.played(name) for name in stage.walls) == seen
    _check_learned(case, stage)


def charged(attempts: Sequence[Row]) -> int:
    """Return what a caller pays: nothing for an attempt that failed, unless it left itself."""
    return sum(row.cost for row in attempts if row.outcome in _PAID)


def _check_reply(case: Case, heard: Heard, *, stream: bool) -> None:
    for name, value in case.headers.items():
        assert heard.header(name) == value, name
    if case.code is not None:
        refused(heard, case.status, case.code, heard.json["error"]["param"])
        return
    assert heard.status == case.status, heard
    expected = ANSWER if case.text is None else case.text
    if not stream:
        assert heard.json["choices"][0]["message"]["content"] == expected
        return
    assert heard.frames[-1] == b"data: [DONE]"
    errors = [one["error"]["code"] for one in heard.chunks if "error" in one]
    assert errors == ([] if case.broken is None else [case.broken])
    assert streamed_text(heard) == expected


def streamed_text(heard: Heard) -> str:
    """Return the words of a stream."""
    deltas = [choice["delta"] for one in heard.chunks for choice in one.get("choices", ())]
    return "".join(delta.get("content") or "" for delta in deltas)


def _billed(case: Case) -> tuple[str, ...]:
    usual = tuple("tokens" if one.endswith(":ok") else "0" for one in case.attempts)
    return usual if case.billed is None else case.billed


def _check_bill(row: Row, billed: str) -> None:
    counted = (row.prompt_tokens, row.completion_tokens, row.estimated)
    if billed == "estimated":
        assert row.estimated == 1
        assert row.prompt_tokens > 0
    else:
        assert counted == _NOTHING[billed], (row.upstream, row.outcome)
    assert row.cost == row.prompt_tokens * 10**6 + row.completion_tokens * 2 * 10**6


def _check_learned(case: Case, stage: Stage) -> None:
    learned = _usual_lessons(case) | dict(case.learned or {})
    for name in stage.walls:
        assert stage.slot(name).breaker.streak == learned.get(name, 0.0), name
        slot, account = stage.slot(name), stage.account(name)
        rest = max(slot.rest_until, account.resting_until)
        expected = case.rests.get(name)
        assert (rest > stage.now) == (expected is not None), (name, rest - stage.now)
        if expected is not None:
            assert expected - 1.0 < rest - stage.now <= expected, name
        is_lower = account.most_in_flight < account.allowed
        assert is_lower == (name in case.ceilings), name


def _usual_lessons(case: Case) -> dict[str, float]:
    """Return what the breakers count in a row by the fault table."""
    streaks: dict[str, float] = {}
    for one in case.attempts:
        name, _, outcome = one.partition(":")
        weight = 0.0 if outcome == "ok" else CONSEQUENCES[_FAULTS[outcome]].weight
        streaks[name] = 0.0 if outcome == "ok" else streaks.get(name, 0.0) + weight
    return streaks
