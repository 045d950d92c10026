"""The Infuzu SDK against the installed command: its paths, its header, its model object."""

import pytest
from tests.e2e.conftest import KEY
from tests.e2e.gateway import CLIENTS, OTHER_PYTHON, reported
from tests.e2e.upstream import ANSWER

REFUSED = {
    "stranger": (401, "invalid_api_key"),
    "unknown": (404, "model_not_found"),
    "too_cheap": (503, "no_available_provider"),
    "wrong_weight": (400, "invalid_field"),
    "failing": (502, "upstream_error"),
    "limited": (429, "upstream_rate_limited"),
}


@pytest.fixture(scope="module")
def infuzu(gateway, tmp_path_factory):
    assert OTHER_PYTHON.exists(), f"{OTHER_PYTHON} is missing: make install-dev"
    folder = tmp_path_factory.mktemp("infuzu")
    (folder / ".package-version").write_text("0.1.19")  # the SDK reads it on every call
    return reported(OTHER_PYTHON, CLIENTS / "infuzu_sdk.py", gateway.url, KEY, folder=folder)


def test_a_named_model_answers(infuzu):
    answer = infuzu["named"]
    choice = answer["choices"][0]
    assert choice["message"]["content"] == ANSWER
    assert choice["model"] == {"ref": "teller-infuzu", "rank": 1}
    assert choice["latency"]["start_latency"] <= choice["latency"]["end_latency"]
    assert answer["model"] == "teller-infuzu"


def test_usage_is_integers_alone_though_the_upstream_nests_it(infuzu):
    usage = {"prompt_tokens": 25, "completion_tokens": 8, "total_tokens": 33}
    assert infuzu["named"]["usage"] == usage


def test_without_a_model_one_is_chosen(infuzu):
    assert infuzu["chosen"]["choices"][0]["message"]["content"] == ANSWER


def test_content_in_parts_is_read(infuzu):
    assert infuzu["parts"] == ANSWER


def test_a_model_object_chooses_among_its_models(infuzu):
    assert infuzu["weighed"]["model"] in {"teller-infuzu", "second-infuzu"}


def test_an_excluded_model_does_not_answer(infuzu):
    assert infuzu["excluded"]["model"] == "second-infuzu"
    assert infuzu["excluded"]["warnings"][0]["code"] == "llms_and_exclude_llms"


def test_two_suggestions_are_two_choices_by_rank(infuzu):
    answer = infuzu["several"]
    assert [choice["model"]["rank"] for choice in answer["choices"]] == [1, 2]
    assert len({choice["model"]["ref"] for choice in answer["choices"]}) == 2
    assert answer["usage"]["total_tokens"] == 66


def test_a_failed_suggestion_is_a_choice_with_an_error(infuzu):
    good, bad = infuzu["half"]["choices"]
    assert good["message"]["content"] == ANSWER
    assert bad["finish_reason"] == "error"
    assert bad["error"]["code"] == "upstream_error"
    assert bad["model"]["ref"] == "failing-infuzu"


@pytest.mark.parametrize("scenario", REFUSED)
def test_a_refusal_is_the_sdks_own_error_with_a_code(infuzu, scenario):
    status, code = REFUSED[scenario]
    assert infuzu[scenario] == {"status": status, "codes": [code], "warnings": []}
