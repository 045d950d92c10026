"""Gemini's failures: named errors, blocked prompts, streams that are none, bytes of any kind."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.gemini_saying import ADAPTER, frame, reply, saying, stream, whole
from tests.providers.reading import broken, decode, finishes, pieces, text

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault

INFO, RETRY = "type.googleapis.com/google.rpc.ErrorInfo", "type.googleapis.com/google.rpc.RetryInfo"


def error(code: int, word: str, message: str = "no", *details: dict) -> dict:
    return {"error": {"code": code, "status": word, "message": message, "details": list(details)}}


def named(status: int, said: object, **headers: str) -> Failure:
    return ADAPTER.fault(status, headers, json.dumps(said).encode())


def quota(id_: str) -> dict:
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": id_}],
    }


@pytest.mark.parametrize(
    ("status", "said", "fault"),
    [
        (400, error(400, "INVALID_ARGUMENT", "no", {"reason": "API_KEY_INVALID"}), "PROVIDER_AUTH"),
        (400, error(400, "INVALID_ARGUMENT", "Invalid value at 'contents'"), "UPSTREAM_4XX"),
        (
            400,
            error(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number "
                  "of tokens allowed (8)."),
            "CONTEXT_LENGTH",
        ),
        (400, error(400, "FAILED_PRECONDITION", "User location is not supported"), "PROVIDER_AUTH"),
        (400, error(400, "FAILED_PRECONDITION", "The File x is not ACTIVE"), "UPSTREAM_4XX"),
        (400, error(400, "INVALID_ARGUMENT", "Corrupted thought signature."), "UNTRANSLATABLE"),
        (401, error(401, "UNAUTHENTICATED"), "PROVIDER_AUTH"),
        (403, error(403, "PERMISSION_DENIED"), "PROVIDER_AUTH"),
        (403, error(403, "PERMISSION_DENIED", "no", {"reason": "BILLING_DISABLED"}), "PROVIDER_QUOTA"),
        (403, error(403, "PERMISSION_DENIED", "You cannot access the File x"), "UPSTREAM_4XX"),
        (403, error(403, "PERMISSION_DENIED", "CachedContent not found"), "UPSTREAM_4XX"),
        (404, error(404, "NOT_FOUND", "models/x is not found"), "MODEL_MISSING"),
        (429, error(429, "RESOURCE_EXHAUSTED"), "RATE_LIMITED"),
        (429, error(429, "RESOURCE_EXHAUSTED", "no", quota("TokensPerMinute")), "RATE_LIMITED"),
        (429, error(429, "RESOURCE_EXHAUSTED", "no", quota("RequestsPerDay")), "PROVIDER_QUOTA"),
        (429, error(429, "RESOURCE_EXHAUSTED", "Your credits are depleted."), "PROVIDER_QUOTA"),
        (429, error(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0, model: x"), "PROVIDER_QUOTA"),
        (500, error(500, "INTERNAL"), "HTTP_500"),
        (503, error(503, "UNAVAILABLE", "The model is overloaded."), "OVERLOADED"),
        (504, error(504, "DEADLINE_EXCEEDED"), "HTTP_5XX"),
        (499, error(499, "CANCELLED"), "RETRYABLE_4XX"),
        (503, [error(503, "UNAVAILABLE")], "OVERLOADED"),
        (401, {"error": "invalid_grant", "error_description": "Bad"}, "PROVIDER_AUTH"),
    ],
)  # fmt: skip
def test_errors_are_named_by_reason_then_word_then_status(status: int, said: object, fault: str):
    failure = named(status, said)
    assert failure.fault is Fault[fault]
    assert failure.status == status


def test_the_wait_is_the_vendors_own_first():
    delay = {"@type": RETRY, "retryDelay": "12.5s"}
    said = error(429, "RESOURCE_EXHAUSTED", "no", {"@type": INFO}, delay)
    assert named(429, said, **{"retry-after": "3"}).retry_after == 12.5
    assert named(429, error(429, "RESOURCE_EXHAUSTED"), **{"retry-after": "3"}).retry_after == 3
    delay["retryDelay"] = "86400s"
    assert named(429, said).retry_after == 300
    delay["retryDelay"] = "soon"
    assert named(429, said).retry_after is None


def test_a_mistake_names_its_field():
    violation = {"fieldViolations": [{"field": "generation_config.top_k", "description": "bad"}]}
    failure = named(400, error(400, "INVALID_ARGUMENT", "line\none", violation))
    assert failure.param == "generation_config.top_k"
    assert failure.message == "line one"
    assert named(401, {"error": "invalid_grant", "error_description": "Bad"}).message == "Bad"


def test_a_blocked_prompt_is_the_content_filters():
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"totalTokenCount": 3}}
    with pytest.raises(UpstreamFailed) as caught:
        whole(blocked)
    failure = caught.value.failure
    assert failure == Failure(Fault.CONTENT_FILTER, 200, "The prompt was blocked: SAFETY.")
    assert broken(stream(blocked)).failure == failure
    worded = {"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "No."}}
    assert broken(stream(worded)).failure.message == "No."
    rated = reply(saying({"text": "x"}), promptFeedback={"safetyRatings": []})
    assert text(whole(rated)) == "x"


@pytest.mark.parametrize(
    ("said", "fault", "status"),
    [
        (error(503, "UNAVAILABLE"), Fault.OVERLOADED, 503),
        (error(429, "RESOURCE_EXHAUSTED"), Fault.RATE_LIMITED, 429),
        (error(0, "", "odd"), Fault.INBAND_ERROR, 200),
        ({"error": "odd"}, Fault.INBAND_ERROR, 200),
        ({"error": {"status": "INTERNAL"}}, Fault.HTTP_500, 200),
    ],
)
def test_an_error_inside_a_reply_is_the_last_event(said: dict, fault: Fault, status: int):
    with pytest.raises(UpstreamFailed) as caught:
        whole(said)
    assert (caught.value.failure.fault, caught.value.failure.status) == (fault, status)
    events = stream(reply(saying({"text": "Hi"}, finish=None)), said, reply(saying({"text": "!"})))
    assert text(events) == "Hi"
    assert broken(events).failure.fault is fault
    with pytest.raises(UpstreamFailed):
        whole([said])


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (b"{}", Fault.EMPTY_CHOICES),
        (b'{"candidates":[]}', Fault.EMPTY_CHOICES),
        (b"[]", Fault.EMPTY_CHOICES),
        (b"null", Fault.INVALID_JSON),
        (b'{"candidates":[1]}', Fault.INVALID_JSON),
        (b'{"candidates":[{"content":{"parts":[{"text":"\xff"}]}}]}', Fault.INVALID_JSON),
    ],
)
def test_a_body_that_is_no_reply_is_named(said: bytes, fault: Fault):
    with pytest.raises(UpstreamFailed) as caught:
        ADAPTER.whole(said)
    assert caught.value.failure.fault is fault


def ending(*said: bytes) -> Fault | None:
    end = broken(decode(ADAPTER.decoder(), said))
    return None if end is None else end.failure.fault


def test_a_stream_that_ends_early_is_cut():
    begun = frame(reply(saying({"text": "Hi"}, finish=None)))
    done = frame(reply(saying({"text": "!"})))
    other = frame(reply(saying({"text": "?"}, finish=None, index=1)))
    assert ending() is Fault.EMPTY_STREAM
    assert ending(frame({"usageMetadata": {"totalTokenCount": 1}})) is Fault.EMPTY_STREAM
    assert ending(frame(reply(saying(finish=None)))) is Fault.EMPTY_STREAM
    assert ending(begun) is Fault.STREAM_CUT
    assert ending(begun, done[:-4]) is Fault.STREAM_CUT
    assert ending(begun, other, done) is Fault.STREAM_CUT
    assert ending(begun, done) is None


@pytest.mark.parametrize("data", [b"{", b"nonsense", b'"x"', b'{"candidates":{}}', b"[{]"])
def test_an_event_that_cannot_be_read_breaks_the_stream(data: bytes):
    begun = frame(reply(saying({"text": "Hi"}, finish=None)))
    assert ending(begun, b"data: " + data + b"\n\n") is Fault.BAD_EVENT


def test_what_follows_the_end_of_a_candidate_is_no_part_of_it():
    done = reply(saying({"text": "Hi"}))
    events = stream(done, reply(saying({"text": " there"}, finish="SAFETY")))
    assert text(events) == "Hi"
    assert [one.native for one in finishes(events)] == ["STOP"]


def test_a_list_instead_of_events_is_read_at_its_end():
    listed = [reply(saying({"text": "Hi"}, finish=None)), reply(saying({"text": "!"}))]
    body = ("\n" + json.dumps(listed, indent=2)).encode()
    for size in (1, 7, 10**6):
        assert decode(ADAPTER.decoder(), pieces(body, size)) == stream(*listed)
    assert ending(body[:-1]) is Fault.BAD_EVENT
    assert ending(json.dumps(listed[:1]).encode()) is Fault.STREAM_CUT
    assert ending(json.dumps([error(503, "UNAVAILABLE")]).encode()) is Fault.OVERLOADED
    with pytest.raises(UpstreamFailed) as caught:
        decode(ADAPTER.decoder(), [b"[" + b" " * 5_000_000])
    assert caught.value.failure.fault is Fault.TOO_LARGE


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
PLACES = (
    "functionCall", "thought", "inlineData", "executableCode", "finishReason", "index",
    "groundingMetadata", "logprobsResult", "usageMetadata", "citationMetadata", "responseId",
    "promptFeedback", "content", "parts", "error",
)  # fmt: skip


@given(place=st.sampled_from(PLACES), value=json_values, deeper=st.sampled_from(["", *PLACES]))
def test_any_value_in_any_place_is_read_or_named(place: str, value: object, deeper: str):
    odd = {place: {deeper: value} if deeper else value}
    part, candidate = {"text": "x", **odd}, {**saying(), **odd}
    for said in (reply(saying(part)), reply(candidate), reply(saying(), **odd), odd):
        decode(ADAPTER.decoder(), [frame(said)])
        with suppress(UpstreamFailed):
            whole(said)
        ADAPTER.fault(400, {}, json.dumps({"error": odd}).encode())
