"""Tools, sampling, thinking and the form of the answer, as each generation of Gemini takes them."""

import pytest
from tests.providers.gemini_asking import (
    NEW,
    OLD,
    STUDIO,
    VERTEX,
    body,
    call,
    config,
    dropped,
    function,
    refused,
)

SCHEMA = {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {}}}
LOOK = function("look", description="Looks.", parameters=SCHEMA)
HEAR = function("hear")
FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}


def test_functions_are_declared_with_their_schemas_as_they_are():
    declared = body(tools=[LOOK, HEAR])["tools"]
    look = {"name": "look", "description": "Looks.", "parametersJsonSchema": SCHEMA}
    assert declared == [{"functionDeclarations": [look, {"name": "hear"}]}]
    assert "toolConfig" not in body(tools=[LOOK])
    assert dropped(tools=[LOOK, HEAR]) == ()


def test_googles_own_tools_are_passed_on_as_sent():
    tools = [{"googleSearch": {}}, {"code_execution": {}}]
    assert body(tools=tools)["tools"] == tools
    assert refused(tools=[{"type": "web_search_preview"}]) == "tools[0].type"
    assert refused(tools=[{"googleSearch": {}}, {}]) == "tools[1].type"


def test_functions_beside_googles_own_tools_are_announced():
    tools = [LOOK, {"urlContext": {}}]
    config = {"includeServerSideToolInvocations": True}
    assert body(tools=tools)["toolConfig"] == config
    assert "toolConfig" not in body(tools=tools, url=VERTEX)
    assert "toolConfig" not in body(tools=tools, model=OLD)


def one_of(*names: str, mode: str = "required") -> dict:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (function("hear"), {"mode": "ANY", "allowedFunctionNames": ["hear"]}),
        (one_of("hear", "look"), {"mode": "ANY", "allowedFunctionNames": ["hear", "look"]}),
    ],
)
def test_which_functions_must_be_called_is_said(choice: object, expected: dict):
    made = body(tools=[LOOK, HEAR], tool_choice=choice)
    assert made["toolConfig"] == {"functionCallingConfig": expected}


def test_a_free_choice_needs_no_words_and_one_among_some_leaves_out_the_rest():
    assert "toolConfig" not in body(tools=[LOOK], tool_choice="auto")
    made = body(tools=[LOOK, HEAR], tool_choice=one_of("hear", mode="auto"))
    assert made["tools"] == [{"functionDeclarations": [{"name": "hear"}]}]
    assert "toolConfig" not in made


def test_strict_functions_are_validated_where_all_of_them_are():
    strict = function("look", strict=True)
    assert body(tools=[strict])["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert "toolConfig" not in body(tools=[strict, HEAR])
    assert dropped(tools=[strict, HEAR]) == ("tools.strict",)
    assert dropped(tools=[strict], model="gemini-2.0-flash") == ("tools.strict",)
    assert dropped(tools=[strict, HEAR], tool_choice="required") == ()


def test_what_tools_say_without_words_in_gemini_is_listed():
    cached = {**LOOK, "cache_control": {"type": "ephemeral"}}
    assert dropped(tools=[cached], parallel_tool_calls=False) == (
        "parallel_tool_calls",
        "tools.cache_control",
    )


def test_limits_and_sampling_are_the_configuration():
    asked = {
        "temperature": 0.5, "top_p": 0.9, "top_k": 4, "seed": 7, "stop": ["a", "", "b"], "n": 2,
        "max_completion_tokens": 100, "logprobs": True, "top_logprobs": 3,
    }  # fmt: skip
    assert config(**asked) == {
        "temperature": 0.5, "topP": 0.9, "topK": 4, "seed": 7, "stopSequences": ["a", "b"],
        "candidateCount": 2, "maxOutputTokens": 100, "responseLogprobs": True, "logprobs": 3,
    }  # fmt: skip
    assert dropped(**asked) == ()
    assert config(n=1, stop=[], logprobs=False) == {}
    assert dropped(top_logprobs=2) == ("top_logprobs",)


def test_newer_models_have_their_own_sampling():
    asked = {"temperature": 0.5, "top_p": 0.9, "top_k": 4, "seed": 7}
    for model in ("gemini-3.6-flash", "gemini-3.8-flash", "gemini-4-carbon", "gemini-flash-latest"):
        assert config(**asked, model=model) == {"seed": 7}
        assert dropped(**asked, model=model) == ("temperature", "top_k", "top_p")
        assert refused(n=2, model=model) == "n"


@pytest.mark.parametrize(
    ("model", "url", "taken"),
    [
        ("gemini-2.0-flash", STUDIO, True),
        ("gemini-2.5-pro", STUDIO, False),
        ("gemini-2.5-pro", VERTEX, True),
        (NEW, VERTEX, False),
        ("tuned-by-us", STUDIO, True),
    ],
)
def test_penalties_are_said_where_they_are_taken(model: str, url: str, taken: bool):
    asked = {"presence_penalty": 0.5, "frequency_penalty": 0}
    made = config(**asked, model=model, url=url)
    assert made == ({"presencePenalty": 0.5, "frequencyPenalty": 0} if taken else {})
    listed = dropped(**asked, model=model, url=url)
    assert listed == (() if taken else ("presence_penalty",))


def test_the_answer_is_json_of_a_schema():
    json_only = {"responseMimeType": "application/json"}
    assert config(response_format={"type": "json_object"}) == json_only
    assert config(response_format=FORM) == {**json_only, "responseJsonSchema": SCHEMA}
    assert dropped(response_format=FORM) == ()
    described = {"type": "json_schema", "json_schema": {"schema": SCHEMA, "description": "d"}}
    assert dropped(response_format=described) == ("response_format.json_schema.description",)


def test_json_beside_tools_is_for_models_that_know_both():
    assert config(response_format=FORM, tools=[LOOK])["responseJsonSchema"] == SCHEMA
    for tools in ([LOOK], [{"googleSearch": {}}]):
        assert refused(response_format=FORM, tools=tools, model=OLD) == "response_format"


def test_pictures_are_wanted_by_name_and_sounds_cannot_be():
    assert config(modalities=["text", "image"]) == {"responseModalities": ["TEXT", "IMAGE"]}
    assert config(modalities=["text"]) == {}
    assert refused(modalities=["text", "audio"]) == "modalities"


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        (NEW, "minimal", {"thinkingLevel": "MINIMAL"}),
        (NEW, "medium", {"thinkingLevel": "MEDIUM"}),
        (NEW, "xhigh", {"thinkingLevel": "HIGH"}),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "LOW"}),
        ("gemini-3.1-pro-preview", "minimal", {"thinkingLevel": "LOW"}),
        ("gemini-3.1-flash-image", "medium", {"thinkingLevel": "HIGH"}),
        ("gemini-3.8-flash", "minimal", {"thinkingLevel": "LOW"}),
        (OLD, "low", {"thinkingBudget": 2000}),
        (OLD, "high", {"thinkingBudget": 8000}),
        ("gemini-2.5-flash-lite", "minimal", {"thinkingBudget": 1000}),
    ],
)
def test_effort_is_a_level_or_a_budget_by_generation(model: str, effort: str, expected: dict):
    made = config(model=model, reasoning_effort=effort, max_tokens=10_000)["thinkingConfig"]
    assert made == {"includeThoughts": True, **expected}
    assert dropped(model=model, reasoning_effort=effort) == ()


def test_budgets_keep_within_the_models_bounds():
    def budget(tokens: int, model: str) -> int:
        made = config(reasoning={"max_tokens": tokens}, model=model)["thinkingConfig"]
        return made["thinkingBudget"]

    assert budget(1, "gemini-2.5-pro") == 128
    assert budget(99_999, "gemini-2.5-pro") == 32768
    assert budget(100, "gemini-2.5-flash-lite") == 512
    assert budget(1234, OLD) == 1234


def test_effort_is_a_share_of_what_the_model_can_say():
    asked = {"reasoning_effort": "low", "model": "gemini-2.5-pro"}
    assert config(**asked, most=8192)["thinkingConfig"]["thinkingBudget"] == 1638
    assert config(**asked)["thinkingConfig"]["thinkingBudget"] == 13107


def test_a_budget_becomes_the_nearest_level():
    def level(tokens: int) -> str:
        made = config(reasoning={"max_tokens": tokens}, max_tokens=10_000)
        return made["thinkingConfig"]["thinkingLevel"]

    assert [level(n) for n in (500, 1900, 5000, 9000)] == ["MINIMAL", "LOW", "MEDIUM", "HIGH"]


def test_no_thinking_is_said_where_it_can_be():
    assert config(reasoning_effort="none", model=OLD) == {"thinkingConfig": {"thinkingBudget": 0}}
    assert dropped(reasoning_effort="none", model=OLD) == ()
    assert dropped(reasoning_effort="none", model="gemini-2.0-flash") == ()
    for model, least in (
        ("gemini-2.5-pro", {"thinkingBudget": 128}),
        ("gemini-3-pro-preview", {"thinkingLevel": "LOW"}),
    ):
        assert config(reasoning_effort="none", model=model) == {"thinkingConfig": least}
        assert dropped(reasoning_effort="none", model=model) == ("reasoning_effort",)


def test_thinking_at_will_shows_its_thoughts():
    for model in (NEW, OLD):
        made = config(reasoning={"enabled": True}, model=model)
        assert made == {"thinkingConfig": {"includeThoughts": True}}
    assert config() == {}
    assert dropped(reasoning_effort="low", model="gemini-2.0-flash") == ("reasoning_effort",)


def test_the_tier_is_said_to_ai_studio_alone():
    assert body(service_tier="flex")["serviceTier"] == "flex"
    assert body(service_tier="default")["serviceTier"] == "standard"
    assert dropped(service_tier="auto") == ()
    assert dropped(service_tier="scale") == ("service_tier",)
    assert "serviceTier" not in body(service_tier="flex", url=VERTEX)
    assert dropped(service_tier="flex", url=VERTEX) == ("service_tier",)


def test_the_rows_own_fields_are_sent_where_nothing_else_gave_them():
    row = {"defaults": {"safetySettings": [1], "generationConfig": {"topP": 0.1, "seed": 1}}}
    made = body(row=row, top_p=0.9)
    assert made["safetySettings"] == [1]
    assert made["generationConfig"] == {"topP": 0.9, "seed": 1}
    assert call(row={"headers": {"x": "y"}}).headers == {"x": "y"}
