"""A body of the Gemini API as fields of a chat: what is carried, what is needed, what is lost."""

import json
from typing import Any

import pytest

from infway.api.gemini.reading import read_generate
from infway.kernel.chat import Feature
from infway.providers.shapes import value_of

USER = {"role": "user", "parts": [{"text": "Hello"}]}


def read(**body: Any) -> tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]:
    """Return the fields of a chat, what is needed, and what is lost."""
    said = {"contents": [USER], **body}
    ask, _ = read_generate(json.dumps(said).encode(), "r-1", "m1", stream=False)
    assert ask.native is not None
    assert ask.native.fields.keys() == said.keys() - {"provider", "usage", "fallback_models"}
    fields = {name: value_of(one) for name, one in ask.fields.items()}
    return fields, ask.native.needs, ask.native.lost


def test_both_spellings_mean_the_same() -> None:
    camel = read(systemInstruction={"parts": [{"text": "Be brief."}]},
                 generationConfig={"maxOutputTokens": 9, "stopSequences": ["a"], "topK": 4.0})  # fmt: skip
    snake = read(system_instruction={"parts": {"text": "Be brief."}},
                 generation_config={"max_output_tokens": "9", "stop_sequences": ["a"], "top_k": 4})  # fmt: skip
    assert camel == snake
    fields, needs, lost = camel
    assert (fields["max_tokens"], fields["stop"], fields["top_k"]) == (9, ["a"], 4)
    assert fields["messages"][0] == {"role": "system", "content": "Be brief."}
    assert needs == lost == ()


def test_media_become_parts_of_a_chat() -> None:
    inline = [("image/png", "image_url"), ("audio/mpeg", "input_audio"), ("video/mp4", "video_url"),
              ("application/pdf", "file")]  # fmt: skip
    parts = [{"inlineData": {"mimeType": kind, "data": "QUJD"}} for kind, _ in inline]
    parts.append({"inlineData": {"mimeType": "image/png", "data": "-_-_"}})
    fields, needs, _ = read(contents=[{"parts": parts}])
    content = fields["messages"][0]["content"]
    assert [one["type"] for one in content[:4]] == [kind for _, kind in inline]
    assert content[4]["image_url"]["url"] == "data:image/png;base64,+/+/"
    assert content[0]["image_url"]["url"] == "data:image/png;base64,QUJD"
    assert content[1]["input_audio"] == {"data": "QUJD", "format": "mp3"}
    assert content[3]["file"]["file_data"] == "data:application/pdf;base64,QUJD"
    assert needs == ()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"tools": [{"googleSearch": {}}]}, "tools[0].googleSearch"),
        ({"tools": [{"code_execution": {}}]}, "tools[0].codeExecution"),
        ({"tools": {"urlContext": {}}}, "tools[0].urlContext"),
        ({"cachedContent": "cachedContents/1"}, "cachedContent"),
        ({"generationConfig": {"responseModalities": ["AUDIO"]}}, "generationConfig.responseModalities"),
        ({"generationConfig": {"responseMimeType": "text/x.enum"}}, "generationConfig.responseMimeType"),
        ({"contents": [USER, {"role": "model", "parts": [{"executableCode": {"code": "1"}}]}]},
         "contents[1].parts[0].executableCode"),
        ({"contents": [{"parts": [{"fileData": {"fileUri": "gs://a/b"}}]}]},
         "contents[0].parts[0].fileData.fileUri"),
        ({"contents": [{"parts": [{"fileData": {"fileUri": "https://www.youtube.com/watch?v=1"}}]}]},
         "contents[0].parts[0].fileData.fileUri"),
    ],
)  # fmt: skip
def test_what_google_alone_can_do_is_needed(body: dict[str, Any], path: str) -> None:
    assert read(**body)[1] == (path,)


def test_what_nobody_else_is_told_is_listed() -> None:
    part = {"inlineData": {"mimeType": "video/mp4", "data": "QUJD"}, "videoMetadata": {"fps": 1}}
    _, needs, lost = read(
        contents=[{"parts": [part]}],
        safetySettings=[{"category": "c", "threshold": "t"}],
        labels={"team": "a"},
        generationConfig={
            "mediaResolution": "LOW",
            "speechConfig": {"a": 1},
            "new": 1,
            "none": None,
        },
        tools=[{"functionDeclarations": [{"name": "f", "response": {"type": "STRING"}}]}],
        toolConfig={"functionCallingConfig": {"mode": "VALIDATED"}, "retrievalConfig": {"a": 1}},
        brandNew={"a": 1},
    )
    assert needs == ()
    assert lost == (
        "brandNew", "contents[0].parts[0].videoMetadata", "generationConfig.mediaResolution",
        "generationConfig.new", "generationConfig.speechConfig", "labels", "safetySettings",
        "toolConfig.functionCallingConfig.mode", "toolConfig.retrievalConfig",
        "tools[0].functionDeclarations[0].response",
    )  # fmt: skip


def test_googles_schema_becomes_json_schema() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "b": {"type": "STRING", "nullable": True, "enum": ["x"], "format": "enum"},
            "type": {"anyOf": [{"type": "INTEGER"}, {"type": "NUMBER"}]},
            "max_items": {"type": "ARRAY", "max_items": "3", "items": {"type": "BOOLEAN"}},
        },
        "property_ordering": ["type", "b"],
        "required": ["b"],
    }
    fields, _, _ = read(tools=[{"functionDeclarations": [{"name": "f", "parameters": schema}]}])
    told = fields["tools"][0]["function"]["parameters"]
    assert told == {
        "type": "object",
        "properties": {
            "type": {"anyOf": [{"type": "integer"}, {"type": "number"}]},
            "b": {"type": ["string", "null"], "enum": ["x", None]},
            "max_items": {"type": "array", "maxItems": 3, "items": {"type": "boolean"}},
        },
        "required": ["b"],
    }
    assert list(told["properties"]) == ["type", "b", "max_items"]
    plain = {"type": "object", "properties": {"a_b": {"$ref": "#/$defs/X"}}}
    fields, _, _ = read(
        tools=[{"functionDeclarations": [{"name": "f", "parametersJsonSchema": plain}]}]
    )
    assert fields["tools"][0]["function"]["parameters"] == plain


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({"mode": "AUTO"}, "auto"),
        ({"mode": "ANY"}, "required"),
        ({"mode": "none"}, "none"),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]},
         {"type": "function", "function": {"name": "f"}}),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]},
         {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
             {"type": "function", "function": {"name": name}} for name in ("f", "g")]}}),
    ],
)  # fmt: skip
def test_the_choice_of_functions_is_told(calling: dict[str, Any], choice: object) -> None:
    tools = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]
    assert (
        read(tools=tools, toolConfig={"functionCallingConfig": calling})[0]["tool_choice"] == choice
    )


@pytest.mark.parametrize(
    ("thinking", "told"),
    [
        ({"thinkingLevel": "LOW"}, {"reasoning_effort": "low"}),
        ({"thinkingBudget": 0}, {"reasoning_effort": "none"}),
        ({"thinkingBudget": -1}, {"reasoning": {"enabled": True}}),
        ({"thinking_budget": 77, "include_thoughts": True}, {"reasoning": {"max_tokens": 77}}),
        ({"includeThoughts": True}, {"reasoning": {"enabled": True}}),
        ({"includeThoughts": False}, {}),
    ],
)
def test_how_much_it_thinks_is_told(thinking: dict[str, Any], told: dict[str, Any]) -> None:
    fields, _, _ = read(generationConfig={"thinkingConfig": thinking})
    assert {name: fields[name] for name in fields if name.startswith("reasoning")} == told


def test_results_without_ids_answer_the_open_call_of_their_name() -> None:
    def call(name: str) -> dict[str, Any]:
        return {"functionCall": {"name": name, "args": {"a": 1}}}

    def result(name: str, response: object) -> dict[str, Any]:
        return {"functionResponse": {"name": name, "response": response}}

    fields, _, _ = read(contents=[
        USER, {"role": "model", "parts": [call("f"), call("g"), call("f")]},
        {"role": "function", "parts": [result("g", {"output": "x"}), result("f", {"error": "no"}),
                                       result("f", {"output": {"n": 1}})]},
    ])  # fmt: skip
    told = fields["messages"]
    ids = [one["id"] for one in told[1]["tool_calls"]]
    assert len({*ids}) == 3
    answers = [(one["tool_call_id"], one["content"]) for one in told[2:]]
    assert answers == [(ids[1], "x"), (ids[0], '{"error":"no"}'), (ids[2], '{"n":1}')]


def test_infways_own_fields_work_and_go_no_further() -> None:
    said = {"contents": [USER], "provider": {"order": ["one"]}, "fallback_models": ["m2"],
            "usage": {"include": True}}  # fmt: skip
    ask, wishes = read_generate(json.dumps(said).encode(), "r-1", "m1", stream=True)
    assert (ask.selection.order, ask.selection.fallback_models) == (("one",), ("m2",))
    assert wishes.cost
    assert ask.stream
    assert ask.native is not None
    assert ask.native.fields.keys() == {"contents"}


def test_what_a_request_needs_of_a_model_is_seen() -> None:
    body = {"contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "QQ=="}}]}],
            "tools": [{"function_declarations": [{"name": "f"}]}]}  # fmt: skip
    ask, _ = read_generate(json.dumps(body).encode(), "r-1", "m1", stream=False)
    assert ask.features == Feature.VISION | Feature.TOOLS
