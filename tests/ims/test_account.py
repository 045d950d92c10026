"""Learned ceilings: down at once on a refusal, up slowly with successes, over by themselves."""

from hypothesis import given
from hypothesis import strategies as st

from infway.ims.account import FOREVER, Account, Terms
from infway.ims.tuning import Rests


def busy(requests: int, now: float = 0.0) -> Account:
    account = Account(Rests())
    for _ in range(requests):
        account.dispatched(now)
    return account


def test_an_account_that_was_never_refused_has_no_ceiling() -> None:
    account = busy(10_000)
    assert account.shut == 0.0


def test_a_refusal_sets_the_ceiling_a_tenth_below_what_was_in_flight() -> None:
    account = busy(10)
    account.refused(0.0)
    assert account.most_in_flight == 9.0
    assert account.shut == FOREVER


def test_room_in_flight_opens_it_again() -> None:
    account = busy(10)
    account.refused(0.0)
    for _ in range(2):
        account.returned(0.0, 0.0)
    assert account.shut == 0.0


def test_a_full_round_of_successes_raises_the_ceiling_by_about_one() -> None:
    account = busy(10)
    account.refused(0.0)
    for _ in range(9):
        account.succeeded(0.0)
    assert 9.8 < account.most_in_flight < 10.1


def test_the_token_ceiling_opens_as_the_minute_passes() -> None:
    account = busy(1)
    account.returned(60.0, 90_000.0)
    account.dispatched(60.0)
    account.refused(60.0)
    account.returned(60.0, 0.0)
    assert 60.0 < account.shut < 68.0
    later = account.shut
    account.dispatched(later)
    account.returned(later + 0.001, 0.0)
    assert account.shut <= later


def test_tokens_are_not_judged_before_a_whole_minutes_use() -> None:
    account = busy(2)
    account.returned(5.0, 90_000.0)
    account.refused(5.0)
    assert account.most_tokens(5.0) == FOREVER


def test_the_token_ceiling_rises_by_a_tenth_per_minute() -> None:
    account = busy(2)
    account.returned(60.0, 90_000.0)
    account.refused(60.0)
    ceiling = account.most_tokens(60.0)
    assert ceiling == 81_000.0
    assert account.most_tokens(120.0) == ceiling * 1.1


def test_refusals_that_come_together_are_one() -> None:
    account = busy(10)
    for _ in range(10):
        account.refused(0.0)
    assert account.most_in_flight == 9.0
    account.refused(1.5)
    assert 8.0 < account.most_in_flight < 8.2


def test_headers_that_leave_nothing_close_it_until_their_reset() -> None:
    account = busy(1)
    account.told(0.0, 2.0, 20.0)
    assert account.shut == 0.0
    account.dispatched(1.0)
    account.dispatched(2.0)
    assert account.shut == 20.0
    account.returned(21.0, 0.0)
    assert account.shut == 0.0


def test_headers_cannot_close_it_for_longer_than_the_longest_rest() -> None:
    account = busy(1)
    account.told(0.0, 0.0, 1e9)
    assert account.shut == Rests().longest


def test_the_configured_ceiling_closes_it_and_no_success_lifts_it() -> None:
    account = Account(Rests(), 2)
    for _ in range(2):
        account.succeeded(0.0)
        account.dispatched(0.0)
    assert account.shut == FOREVER
    account.returned(1.0, 0.0)
    assert account.shut == 0.0


def test_what_was_learned_below_the_configured_ceiling_rises_to_it_again() -> None:
    account = Account(Rests(), 4)
    for _ in range(3):
        account.dispatched(0.0)
    account.refused(0.0)
    assert account.most_in_flight < 3
    for _ in range(20):
        account.succeeded(1.0)
    assert account.most_in_flight == 4


def test_another_configured_ceiling_counts_at_once_and_leaves_what_was_learned() -> None:
    account = Account(Rests(), 2)
    for _ in range(2):
        account.dispatched(0.0)
    account.allow(3)
    assert account.shut == 0.0
    account.allow(1)
    assert account.shut == FOREVER
    account.allow(FOREVER)
    account.rest(30.0)
    account.refused(0.0)
    account.allow(50)
    assert (account.most_in_flight, account.shut) == (1.8, FOREVER)
    account.returned(1.0, 0.0)
    assert account.shut == 30.0


@given(st.lists(st.sampled_from(["out", "back", "refused", "well"]), max_size=200))
def test_one_request_may_always_go_out(steps: list[str]) -> None:
    account, now = Account(Rests()), 0.0
    for step in steps:
        now += 0.1
        if step == "out":
            account.dispatched(now)
        elif step == "back":
            account.returned(now, 0.0)
        elif step == "refused":
            account.refused(now)
        else:
            account.succeeded(now)
        assert account.most_in_flight >= 1.0
        assert account.in_flight >= 0
    while account.in_flight:
        account.returned(now, 0.0)
    assert account.shut == 0.0


def test_what_another_replica_was_refused_is_a_ceiling_here_but_none_below_what_is_used() -> None:
    idle, crowded = busy(2), busy(100)
    for account in (idle, crowded):
        account.learn(5.0, Terms(most=9.0))
    assert idle.most_in_flight == 9.0
    assert crowded.most_in_flight == 90.0
    assert crowded.shut == FOREVER


def test_what_was_learned_is_told_once_and_whole_where_somebody_asks() -> None:
    account = busy(10)
    assert account.terms(0.0) is account.terms(0.0, whole=True) is None
    account.refused(0.0)
    account.told(0.0, 3.0, 20.0)
    account.rest(30.0)
    assert account.terms(10.0) == Terms(most=9.0, left=3.0, reset=10.0)
    assert account.terms(10.0) is None
    assert account.terms(10.0, whole=True) == Terms(most=9.0, left=3.0, reset=10.0, rest=20.0)


def test_what_is_heard_is_not_told_on() -> None:
    account = busy(10)
    account.learn(0.0, Terms(most=5.0, left=2.0, reset=9.0, rest=3.0))
    assert account.terms(0.0) is None


def test_all_that_others_know_counts_only_where_nothing_is_known() -> None:
    account = busy(10)
    account.refused(0.0)
    account.learn(0.0, Terms(most=2.0), whole=True)
    assert account.most_in_flight == 9.0


def test_of_two_who_heard_what_is_left_the_lower_number_counts_until_it_is_over() -> None:
    account = busy(0)
    account.told(0.0, 0.0, 10.0)
    account.learn(1.0, Terms(left=50.0, reset=60.0))
    assert account.shut == 10.0
    account.learn(11.0, Terms(left=50.0, reset=60.0))
    assert account.shut == 0.0
