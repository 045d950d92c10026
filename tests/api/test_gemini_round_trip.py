"""A Gemini body becomes a chat, and the chat a Gemini body: the same is said, or the loss is listed."""

import json
from base64 import b64encode
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api.gemini_telling import Fact, said, spelled, wished
from tests.translation.offers import offers
from tests.translation.telling import anywhere

from infway.api.gemini.reading import read_generate
from infway.kernel.errors import UpstreamFailed
from infway.providers.gemini.adapter import Gemini

_WORDS = st.text('aZ é\n"{}€日', min_size=1, max_size=12)
_NAMES = st.sampled_from(["weather", "add", "look_up"])
_PROOFS = st.binary(min_size=1, max_size=9).map(lambda data: b64encode(data).decode())
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=4,
)
_OBJECTS = st.dictionaries(_WORDS, _JSON, max_size=3)
_DATA = st.binary(min_size=1, max_size=6).map(lambda data: b64encode(data).decode())
_MEDIA = st.one_of(
    st.fixed_dictionaries({"inlineData": st.fixed_dictionaries({
        "mimeType": st.sampled_from(["image/png", "audio/wav", "application/pdf", "video/mp4"]),
        "data": _DATA})}),
    st.fixed_dictionaries({"fileData": st.fixed_dictionaries({
        "fileUri": st.sampled_from(["https://a.test/b.png", "https://a.test/c"]),
        "mimeType": st.sampled_from(["image/png", "application/pdf"])})}),
)  # fmt: skip


def _signed(part: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    proof = st.fixed_dictionaries({}, optional={"thoughtSignature": _PROOFS})
    return st.tuples(part, proof).map(lambda pair: pair[0] | pair[1])


_TEXT = st.fixed_dictionaries({"text": _WORDS})
_THOUGHT = st.fixed_dictionaries({"text": _WORDS, "thought": st.just(True)})
_CALL = st.builds(
    lambda name, args: {"functionCall": {"name": name, "args": args}}, _NAMES, _OBJECTS
)
_USER = st.builds(
    lambda parts: {"role": "user", "parts": parts}, st.lists(_TEXT | _MEDIA, max_size=3)
)
_MODEL = st.lists(_signed(st.one_of(_TEXT, _THOUGHT, _CALL)), min_size=1, max_size=4)


def _answers(parts: list[dict[str, Any]], outputs: list[Any], *, ids: bool) -> list[dict[str, Any]]:
    """Return the turn of the model, and the results of all its calls."""
    results = []
    for number, part in enumerate(one for one in parts if "functionCall" in one):
        call = part["functionCall"]
        if ids:
            call["id"] = f"id-{number}"
        output = outputs[number % len(outputs)]
        answer = {"name": call["name"], "response": output} | ({"id": call["id"]} if ids else {})
        results.append({"functionResponse": answer})
    turn = [{"role": "model", "parts": parts}]
    return [*turn, {"role": "user", "parts": results}] if results else turn


_OUTPUTS = st.lists(
    _OBJECTS | st.builds(lambda one: {"output": one}, _WORDS | _OBJECTS), min_size=1, max_size=2
)
_TURNS = st.lists(
    st.builds(lambda parts, outputs, ids: _answers(parts, outputs, ids=ids), _MODEL, _OUTPUTS,
              st.booleans()) | _USER.map(lambda one: [one]),
    max_size=4,
)  # fmt: skip
_FORMS = st.sampled_from([
    {}, {"responseMimeType": "application/json"},
    {"responseMimeType": "application/json",
     "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}},
])  # fmt: skip
_CONFIG = st.fixed_dictionaries({}, optional={
    "temperature": st.sampled_from([0, 0.5, 2]), "topP": st.just(0.9), "topK": st.just(40),
    "maxOutputTokens": st.integers(1, 999), "seed": st.integers(0, 99),
    "stopSequences": st.lists(st.sampled_from("abcde"), max_size=5, unique=True),
    "candidateCount": st.integers(1, 3), "responseLogprobs": st.just(True),
})  # fmt: skip
_DECLARED = {
    "name": "weather",
    "description": "d",
    "parameters": {"type": "OBJECT", "properties": {}},
}
_BODIES = st.builds(
    lambda turns, config, form, system, mode, snake: _body(
        turns, config | form, system, mode, snake=snake),
    _TURNS, _CONFIG, _FORMS, st.none() | _WORDS, st.sampled_from([None, "AUTO", "ANY", "NONE"]),
    st.booleans(),
)  # fmt: skip


def _body(
    turns: list[list[dict[str, Any]]],
    config: dict[str, Any],
    system: str | None,
    mode: str | None,
    *,
    snake: bool,
) -> dict[str, Any]:
    contents = [
        {"role": "user", "parts": [{"text": "Begin"}]},
        *(c for turn in turns for c in turn),
    ]
    body: dict[str, Any] = {"contents": [*contents, {"role": "user", "parts": [{"text": "Go on"}]}]}
    body |= {"generationConfig": config} if config else {}
    body |= {"systemInstruction": {"parts": [{"text": system}]}} if system else {}
    if mode is not None and "responseMimeType" not in config:
        body["tools"] = [{"functionDeclarations": [_DECLARED]}]
        body["toolConfig"] = {"functionCallingConfig": {"mode": mode}}
    text = json.dumps(body)
    for camel, word in (('functionCall"', 'function_call"'), ("thoughtSignature", "thought_signature"),
                        ("inlineData", "inline_data"), ("mimeType", "mime_type"),
                        ("maxOutputTokens", "max_output_tokens")):  # fmt: skip
        text = text.replace(f'"{camel}', f'"{word}') if snake else text
    read: dict[str, Any] = json.loads(text)
    return read


def without_proofs(facts: list[Fact]) -> list[Fact]:
    """Return facts without the signatures of words."""
    return [fact for fact in facts if fact[0] != "proof"]


def by_kind(facts: list[Fact]) -> list[Fact]:
    """Return the facts sorted, words in one run for each speaker, without their blanks."""
    said_by = {
        who: "".join("".join(fact[2] for fact in facts if fact[:2] == ("text", who)).split())
        for who in ("user", "model")
    }
    rest = [fact for fact in facts if fact[0] != "text"]
    return [*sorted(said_by.items()), *sorted(rest, key=repr)]


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(body=_BODIES)
def test_a_body_comes_back_as_it_was_or_its_loss_is_listed(body: dict[str, Any]) -> None:
    ask, _ = read_generate(json.dumps(body).encode(), "r-1", "m1", stream=False)
    assert ask.native is not None
    assert ask.native.needs == ()
    with suppress(UpstreamFailed):  # what this generation cannot do, the adapter refuses
        call = Gemini().request(ask, offers("gemini")[0])
        lost = anywhere({*ask.native.lost, *call.dropped})
        asked, found = said(spelled(body)), said(json.loads(call.body))
        if "messages.reasoning_details" in lost:
            asked, found = without_proofs(asked), without_proofs(found)
        if {"contents.parts", "messages.reasoning_details"} & lost:
            asked, found = by_kind(asked), by_kind(found)
        assert found == asked
        wishes, heard = wished(spelled(body)), wished(json.loads(call.body))
        assert heard == wishes


def test_a_loss_that_is_not_listed_would_be_seen() -> None:
    body = {"contents": [
        {"parts": [{"text": "a"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]},
        {"parts": [{"functionResponse": {"name": "f", "response": {"output": "b"}}}]},
    ]}  # fmt: skip
    facts = said(spelled(body))
    assert facts == [
        ("text", "user", "a"),
        ("call", 0, "f", '{"x": 1}', ""),
        ("result", 0, "f", "b"),
    ]
