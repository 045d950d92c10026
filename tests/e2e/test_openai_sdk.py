"""The OpenAI SDK, newest and oldest, against the installed command on a real port."""

import json

import pytest
from tests.e2e.upstream import ANSWER, ARGUMENTS, PIECES, USAGE

# scenario: exception class, status, code, what else is told, attempts that the upstream saw
ERRORS = {
    "stranger": ("AuthenticationError", 401, "invalid_api_key", None, 0),
    "unknown_model": ("NotFoundError", 404, "model_not_found", "model", 0),
    "no_such_path": ("NotFoundError", 404, "endpoint_not_found", None, 0),
    "out_of_range": ("BadRequestError", 400, "invalid_field", "temperature", 0),
    "no_messages": ("BadRequestError", 400, "invalid_field", "messages", 0),
    "rejecting": ("BadRequestError", 400, "upstream_rejected", "top_k", 1),
    "forgetful": ("BadRequestError", 400, "context_length_exceeded", None, 1),
    "unpaid": ("InternalServerError", 502, "upstream_quota", None, 1),
    "barred": ("InternalServerError", 502, "upstream_auth_error", None, 1),
    "limited": ("RateLimitError", 429, "upstream_rate_limited", None, 1),
    "down": ("InternalServerError", 502, "upstream_error", None, 2),
}


def test_a_whole_answer_is_read(sdk):
    answer = sdk["whole"]
    assert answer["content"] == ANSWER
    assert answer["finish"] == "stop"
    assert answer["model"] == f"teller-{sdk['tag']}"
    assert answer["id"] == f"chatcmpl-{answer['headers']['x-request-id']}"


def test_usage_and_cost_are_what_was_used(sdk):
    answer = sdk["whole"]
    assert answer["usage"]["prompt_tokens"] == USAGE["prompt_tokens"]
    assert answer["usage"]["completion_tokens"] == USAGE["completion_tokens"]
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] == 5
    assert answer["cost"] == 0.000041  # 25 tokens at 1 USD and 8 at 2 USD per million
    details = answer["details"]
    assert details["prompt_cost"] + details["completion_cost"] == pytest.approx(answer["cost"])
    assert answer["headers"]["infe-unit-cost"] == "0.000041"


def test_the_headers_tell_where_an_answer_came_from(sdk):
    headers = sdk["whole"]["headers"]
    assert headers["x-gateway-provider"] == f"teller-{sdk['tag']}"
    assert headers["x-gateway-attempts"] == f"teller-{sdk['tag']}:ok"
    assert headers["x-infe-region"] == "test"
    assert headers["openai-processing-ms"].isdigit()


def test_a_stream_is_read_by_loops_that_expect_a_choice_in_every_chunk(sdk):
    stream = sdk["streamed"]
    assert stream["content"].strip() == ANSWER
    assert stream["finish"] == "stop"
    assert stream["usage"] == USAGE["total_tokens"]
    assert stream["models"] == [f"teller-{sdk['tag']}"]
    assert stream["ids"] == 1


def test_streamed_usage_is_a_chunk_of_its_own_where_it_was_asked_for(sdk):
    stream = sdk["streamed_usage"]
    assert stream["choices"] == 0
    assert stream["usage"]["total_tokens"] == USAGE["total_tokens"]
    assert stream["earlier"] == []


def test_a_tool_is_called_and_its_result_answered(sdk):
    assert sdk["tools"] == {
        "finish": "tool_calls",
        "name": "get_weather",
        "arguments": ARGUMENTS,
        "answer": "The tool says: 18 degrees",
    }


def test_a_streamed_tool_call_comes_together(sdk):
    assert sdk["streamed_tools"] == {
        "name": "get_weather",
        "arguments": ARGUMENTS,
        "finish": "tool_calls",
    }


def test_comments_in_a_silence_do_not_disturb_the_sdk(sdk):
    assert sdk["waits_for_a_silent_model"].strip() == ANSWER


def test_a_stream_that_the_client_leaves_is_ended_at_the_upstream(sdk, upstream):
    assert sdk["leaves_early"] == "assistant"
    model = f"endless-{sdk['tag']}"
    assert len(upstream.calls(model)) == 1
    assert model in upstream.left, f"all {PIECES['endless']} pieces were taken"


def test_another_upstream_answers_where_the_first_fails(sdk):
    tag = sdk["tag"]
    assert sdk["falls_back"] == {
        "status": 200,
        "attempts": f"first-{tag}:http_500, second-{tag}:ok",
    }


def test_models_are_listed_and_described(sdk):
    assert {f"teller-{sdk['tag']}", "infe-pulse", "auto"} <= set(sdk["lists_models"])
    assert sdk["one_model"] == f"teller-{sdk['tag']}"


@pytest.mark.parametrize("scenario", ERRORS)
def test_an_error_is_the_exception_that_programs_expect(sdk, upstream, scenario):
    kind, status, code, param, attempts = ERRORS[scenario]
    error = sdk[scenario]
    assert (error["class"], error["status"], error["code"]) == (kind, status, code)
    assert error["param"] == error["body"]["param"] == param
    assert error["body"]["status"] == status
    assert error["headers"]["x-request-id"]
    assert error["headers"]["x-should-retry"] == "false"
    assert len(upstream.calls(f"{scenario}-{sdk['tag']}")) == attempts


def test_retries_are_the_gateways_and_not_the_sdks_once_more(sdk, upstream):
    assert sdk["failing"]["status"] == sdk["refused_stream"]["status"] == 502
    # Two requests, each tried and once more retried; the SDK alone would have made six of them.
    assert len(upstream.calls(f"failing-{sdk['tag']}")) == 4


def test_an_upstreams_words_about_its_key_are_not_passed_on(sdk):
    assert "sk-mock" not in json.dumps(sdk["barred"])


def test_a_long_retry_after_is_passed_on(sdk):
    assert sdk["limited"]["headers"]["retry-after"] == "90"
    assert sdk["limited"]["seconds"] < 15


def test_a_short_retry_after_is_waited_for(sdk, upstream):
    assert sdk["recovers"]["content"] == ANSWER
    assert 1 <= sdk["recovers"]["seconds"] < 15
    assert len(upstream.calls(f"moody-{sdk['tag']}")) == 2


@pytest.mark.parametrize(
    ("scenario", "code"), [("breaking", "upstream_disconnected"), ("lamenting", "upstream_error")]
)
def test_a_stream_that_breaks_off_raises(sdk, scenario, code):
    broken = sdk[scenario]
    assert broken["said"] == "The capital "
    assert broken["error"]["class"] == "APIError"
    assert broken["error"]["code"] == code
    assert "broke off" in broken["error"]["message"]
