"""A provider's word beside the ledger's: what belongs together, and how far it is apart."""

from fractions import Fraction

import pytest
from tests.ledger.row import DAY, ROW

from infway.database import Database
from infway.ledger.drift import Attempts, Matching, attempts, canonical, compared, joined, summed
from infway.ledger.exports.words import Counts, Export, ExportError, Used
from infway.ledger.sql import SqlLedger

OURS = Matching(frozenset({"up"}))
SPANS = ((0.0, 2 * DAY),)


def export(*rows: Used) -> Export:
    return Export("openai", SPANS, rows)


def row(at: float = 0.0, model: str | None = "m", key: str | None = None, prompt: int = 10) -> Used:
    return Used(at, model, key, Counts(prompt=prompt))


def ours(at: float = 0.0, upstream: str = "up", native: str = "m", prompt: int = 10) -> Attempts:
    return Attempts(at, upstream, native, Counts(1, prompt, 0, 0, 0), 0)


def test_attempts_are_summed_by_day_upstream_and_native_name(database: Database):
    ledger = SqlLedger(database)
    ledger.open()
    large = 9 * 10**18
    first = ROW._replace(attempt=1, native="gpt-4o", cost=large)
    ledger.append(
        [
            ROW,
            first,
            first._replace(attempt=2, outcome="timeout", prompt_tokens=0, completion_tokens=0),
            first._replace(attempt=3, outcome="cut", estimated=1),
            first._replace(request="r-2", at=DAY, native=""),
            first._replace(request="r-3", at=2 * DAY),
            first._replace(request="r-4", at=1.5 * DAY, upstream="other"),
        ]
    )
    found = sorted(attempts(database, [(0.0, DAY), (DAY, 2 * DAY), (0.0, 1.0)]))
    assert found == [
        Attempts(0.0, "up", "gpt-4o", Counts(2, 20, 40, 9, 3 * large), 1),
        Attempts(DAY, "other", "gpt-4o", Counts(1, 10, 20, 3, large), 0),
        Attempts(DAY, "up", "model", Counts(1, 10, 20, 3, large), 0),
    ]
    half = attempts(database, [(1.5 * DAY, 1.75 * DAY)])
    assert [one.upstream for one in half] == ["other"]


def test_names_with_a_day_are_those_without():
    for name in ("GPT-4o-2024-08-06", "gpt-4o-20240806", "gpt-4o@20240806"):
        assert canonical(name) == "gpt-4o"
    assert canonical("openai/gpt-4.1-2025-04-14:free") == "openai/gpt-4.1:free"
    assert canonical("llama-3-70b") == "llama-3-70b"


def test_drift_is_the_part_of_the_larger_side_that_is_missing():
    (one,) = compared(export(row(model="m-2024-08-06", prompt=100)), [ours(prompt=90)], OURS)
    assert one.place == ("1970-01-01", "*", "m", "*")
    assert one.parts() == {"prompt": Fraction(1, 10)}
    assert one.ours == Counts(prompt=90)  # nothing else is told by the export


def test_what_only_one_side_knows_is_a_whole_drift():
    theirs, mine = compared(export(row(model="a")), [ours(native="b")], OURS)
    assert (theirs.theirs.prompt, theirs.ours.prompt) == (10, 0)
    assert (mine.theirs.prompt, mine.ours.prompt) == (0, 10)
    assert theirs.parts() == mine.parts() == {"prompt": 1}


def test_an_export_in_which_nothing_was_used_is_compared_as_well():
    (one,) = compared(export(), [ours()], OURS)
    assert one.parts() == {"prompt": 1, "completion": 0}


def test_other_upstreams_are_left_out():
    assert compared(export(row()), [ours(upstream="other"), ours()], OURS)[0].ours.prompt == 10


def test_keys_of_the_export_belong_to_upstreams_where_that_is_said():
    matching = Matching(frozenset(), {"key_1": "up", "key_2": "other"})
    rows = row(key="key_1"), row(key="key_2", prompt=7), row(key="somebody's")
    mine = [ours(), ours(upstream="other", prompt=8), ours(upstream="third")]
    found = {one.place.upstream: one for one in compared(export(*rows), mine, matching)}
    assert {name: one.place.key for name, one in found.items()} == {"up": "key_1", "other": "key_2"}
    assert found["up"].parts() == {"prompt": 0}
    assert found["other"].parts() == {"prompt": Fraction(1, 8)}
    with pytest.raises(ExportError, match="keys apart"):
        compared(export(row()), mine, matching)


def test_each_key_has_a_line_and_the_ledger_is_compared_once_with_their_sum():
    rows = row(key="a"), row(key="b", prompt=7), row(key=None, prompt=1), row(at=DAY, key="a")
    mine = [ours(prompt=9), ours(upstream="second", prompt=9), ours(at=DAY, prompt=5)]
    both = Matching(frozenset({"up", "second"}))
    lines = summed(compared(export(*rows), mine, both))
    assert [(one.place.key, one.theirs.prompt, one.ours.prompt) for one in lines] == [
        ("*", 28, 23), ("-", 1, None), ("a", 20, None), ("b", 7, None),
    ]  # fmt: skip
    assert [one.parts() for one in lines] == [{"prompt": Fraction(5, 28)}, {}, {}, {}]


def test_two_keys_of_one_upstream_are_told_apart_and_compared_together():
    matching = Matching(frozenset(), {"old": "up", "new": "up", "key_2": "other"})
    rows = row(key="old", prompt=4), row(key="new", prompt=6), row(key="key_2"), row(key="else")
    mine = [ours(), ours(upstream="other", prompt=5)]
    lines = compared(export(*rows), mine, matching)
    assert [(*one.place[1:], one.theirs.prompt, one.ours.prompt) for one in lines] == [
        ("other", "m", "key_2", 10, 5),
        ("up", "m", "*", 10, 10), ("up", "m", "new", 6, None), ("up", "m", "old", 4, None),
    ]  # fmt: skip


def test_the_only_key_of_an_export_stands_beside_the_ledger():
    (one,) = compared(export(row(key="a"), row(key="a")), [ours(prompt=20)], OURS)
    assert one.place.key == "a"
    assert one.parts() == {"prompt": 0}
    only = Matching(frozenset(), {"a": "up"})
    (none,) = compared(export(row(key="b")), [ours()], only)
    assert (none.place.key, none.parts()) == ("a", {"prompt": 1})


def test_a_key_that_is_called_as_the_sum_counts_once():
    (whole, other) = compared(export(row(key="*"), row(key="b")), [ours(prompt=20)], OURS)
    assert (whole.place.key, whole.theirs.prompt, whole.parts()) == ("*", 20, {"prompt": 0})
    assert (other.place.key, other.theirs.prompt) == ("b", 10)


def test_a_model_may_be_called_otherwise():
    matching = OURS._replace(models={"fine": "m"})
    (one,) = compared(export(row(model="fine")), [ours()], matching)
    assert one.parts() == {"prompt": 0}


def test_an_export_without_models_is_compared_as_a_whole():
    (one,) = compared(export(row(model=None, prompt=20)), [ours(), ours(native="n")], OURS)
    assert one.place.model == "*"
    assert one.parts() == {"prompt": 0}


def test_a_request_at_midnight_is_no_drift_of_the_sum():
    drifts = compared(export(row(at=DAY)), [ours(at=0.0)], OURS)
    assert [one.parts()["prompt"] for one in drifts] == [1, 1]
    assert [one.parts()["prompt"] for one in summed(drifts)] == [0]


def test_exports_of_one_provider_are_taken_together_and_no_others():
    used, paid = export(row()), export(Used(0.0, "m", None, Counts(cost=5)))
    both = joined([used, paid])
    (one,) = compared(both, [ours()], OURS)
    assert one.theirs == Counts(None, 10, None, None, 5)
    with pytest.raises(ExportError, match="several providers"):
        joined([used, paid._replace(vendor="anthropic")])
    with pytest.raises(ExportError, match="models apart"):
        joined([used, export(row(model=None))])


def test_a_page_that_is_missing_is_asked_for():
    first = Export("openai", ((0.0, DAY),), (row(),), more=(DAY,))
    second = Export("openai", ((DAY, 2 * DAY),), (row(at=DAY),))
    empty, late = second._replace(rows=()), second._replace(spans=((2 * DAY, 3 * DAY),))
    costs = second._replace(rows=(Used(DAY, "m", None, Counts(cost=5)),))
    for others in ([second], [late, second], [empty], [costs, second]):
        assert joined([*others, first]).vendor == "openai"
    for others in ([], [costs], [late], [first._replace(rows=())]):
        with pytest.raises(ExportError, match=r"ends at 1970-01-02T00:00Z .* give the next one"):
            joined([first, *others])


def test_an_empty_export_is_of_whatever_provider_the_others_are():
    nothing = Export("", (), ())
    assert joined([nothing, export(row())]) == export(row())
    assert joined([nothing, nothing]) == nothing


def test_a_time_that_no_export_has_is_refused(database: Database):
    SqlLedger(database).open()
    with pytest.raises(ExportError, match="1100 days"):
        attempts(database, [(0.0, 1200 * DAY)])
