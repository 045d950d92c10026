"""The table of faults covers the enum and keeps the rules of the fault matrix."""

import pytest

from infway.kernel.errors import ERROR_TYPES, UpstreamError
from infway.kernel.faults import CONSEQUENCES, LEFT, Blame, Consequence, Failure, Fault, Rest

ROWS = [pytest.param(fault, row, id=fault.value) for fault, row in CONSEQUENCES.items()]


def test_every_fault_has_its_consequences():
    assert set(CONSEQUENCES) == set(Fault)
    assert len({fault.value for fault in Fault}) == len(Fault)


@pytest.mark.parametrize(("fault", "row"), ROWS)
def test_a_fault_that_is_not_the_callers_is_never_shown_as_one(fault: Fault, row: Consequence):
    if row.blame is Blame.CALLER:
        assert 400 <= row.status < 500
    elif fault is Fault.OWN_FAULT:
        assert row.status == 500
    elif fault not in LEFT:
        assert row.status in (429, 502, 503, 504)


@pytest.mark.parametrize(("fault", "row"), ROWS)
def test_a_provider_refusing_our_key_is_never_the_callers_401(fault: Fault, row: Consequence):
    assert row.status not in (401, 403)


@pytest.mark.parametrize(("fault", "row"), ROWS)
def test_only_the_upstreams_own_doing_counts_against_it(fault: Fault, row: Consequence):
    assert 0 <= row.weight <= 1
    if row.blame is not Blame.UPSTREAM:
        assert row.weight == 0


@pytest.mark.parametrize(("fault", "row"), ROWS)
def test_what_may_be_tried_again_may_be_tried_elsewhere_too(fault: Fault, row: Consequence):
    assert row.elsewhere or not row.again


@pytest.mark.parametrize(("fault", "row"), ROWS)
def test_a_callers_mistake_is_told_and_not_routed_around(fault: Fault, row: Consequence):
    if fault in (Fault.UNTRANSLATABLE, Fault.PREFILL_REFUSED, Fault.DIVERGED):
        assert row.elsewhere  # another offer may have the words, or go on where this one did not
    elif row.blame in (Blame.CALLER, Blame.NOBODY):
        assert not row.elsewhere


@pytest.mark.parametrize(
    "fault", [Fault.TTFT_TIMEOUT, Fault.CONNECT_TIMEOUT, Fault.DEADLINE, Fault.STREAM_STALL]
)
def test_a_silent_offer_is_never_tried_again(fault: Fault):
    assert not CONSEQUENCES[fault].again


def test_a_refused_credential_rests_as_a_whole_and_a_missing_model_alone():
    resting = {fault: row.rest for fault, row in CONSEQUENCES.items() if row.rest != Rest.NOTHING}
    assert resting == {
        Fault.RATE_LIMITED: Rest.UPSTREAM,
        Fault.PROVIDER_QUOTA: Rest.UPSTREAM,
        Fault.PROVIDER_AUTH: Rest.UPSTREAM,
        Fault.MODEL_MISSING: Rest.OFFER,
    }


@pytest.mark.parametrize(("fault", "row"), ROWS)
def test_an_upstream_error_carries_the_rows_status_and_asks_for_no_retry(
    fault: Fault, row: Consequence
):
    error = UpstreamError(Failure(fault, 418, "said", "param"), "told", "one:bad")
    assert (error.status, error.code, error.message) == (row.status, row.code, "told")
    told = "param" if row.blame is Blame.CALLER else None
    assert (error.param, error.retry_after, error.retryable) == (told, None, False)
    assert error.attempts == "one:bad"
    assert error.type == ERROR_TYPES.get(row.status, "server_error")


@pytest.mark.parametrize(("after", "retryable"), [(0.0, None), (60.0, None), (60.5, False)])
def test_a_client_may_come_again_when_it_is_told_to_unless_it_would_not_wait(after, retryable):
    error = UpstreamError(Failure(Fault.RATE_LIMITED, 429, retry_after=after), "told")
    assert (error.retry_after, error.retryable) == (after, retryable)
