"""What is refused or not told on is named as its caller wrote it, and what is said of it is true."""

from collections.abc import AsyncIterator

import pytest
from tests.api.anthropic_asking import HELLO, message
from tests.api.caller import BEARER, JSON, NARROW_KEY, Headers, Heard, refused
from tests.api.upstream import listening
from tests.conftest import Gateway, Start, upstream_settings

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
GEMINI = "/v1beta/models/m1:generateContent"
HI = {"role": "user", "content": "Hi"}
FUNCTION = {"type": "function", "function": {"name": "f"}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
DATA = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
PRICED = {"id": "m1", "input_price": "2.5", "output_price": "10"}
SCHEMA = {"type": "object", "properties": {}}


def param(heard: Heard) -> object:
    """The field that an error names, in whatever dialect."""
    error = heard.json["error"]
    return error["details"][0]["metadata"].get("param") if "details" in error else error["param"]


def contents(*parts: object) -> list[dict[str, object]]:
    return [{"role": "user", "parts": list(parts) or [{"text": "Hi"}]}]


@pytest.fixture
async def simple(start: Start) -> AsyncIterator[Gateway]:
    """A gateway whose model can do nothing but talk; `m2` is able, at the second upstream alone."""
    async with listening() as upstream:
        plain = [{**PRICED, "id": one, "capabilities": []} for one in ("m1", "m2")]
        rows = [
            upstream_settings("one", upstream, *plain),
            upstream_settings("two", upstream, "m2"),
        ]
        yield await start(upstream=upstream, upstreams=rows)


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        (CHAT, {"messages": [HI], "n": 2}, "n", "`n` (more than 1)"),
        (CHAT, {"messages": [HI], "tools": [FUNCTION]}, "tools", "`tools`"),
        (CHAT, {"messages": [HI], "functions": [{"name": "f"}]}, "functions", "`functions`"),
        (
            CHAT,
            {"messages": [{"role": "user", "content": [PICTURE]}]},
            "messages",
            "`messages` (images)",
        ),
        (
            CHAT,
            {"messages": [HI], "modalities": ["text", "audio"], "n": 2},
            "modalities",
            "`modalities` (audio), `n` (more than 1)",
        ),
        (
            CHAT,
            {
                "messages": [HI],
                "reasoning": {"max_tokens": 9},
                "provider": {"require_parameters": True},
            },
            "reasoning",
            "`reasoning`",
        ),
        ("/v1/completions", {"prompt": "Hi", "n": 2}, "n", "`n` (more than 1)"),
        (
            RESPONSES,
            {"input": "Hi", "text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}},
            "text.format",
            "`text.format` (a JSON schema)",
        ),
        (
            MESSAGES,
            {
                "messages": [HELLO],
                "max_tokens": 9,
                "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
            },
            "output_config.format",
            "`output_config.format` (a JSON schema)",
        ),
        (GEMINI, {"contents": contents(DATA)}, "contents", "`contents` (images)"),
        (
            GEMINI,
            {"contents": contents(), "generationConfig": {"candidateCount": 2}},
            "generationConfig.candidateCount",
            "`generationConfig.candidateCount` (more than 1)",
        ),
    ],
    ids=str,
)
async def test_what_no_offer_can_do_is_named_by_the_field_that_asks_for_it(
    simple: Gateway, path: str, body: dict[str, object], field: str, words: str
) -> None:
    heard = await simple.post(path, {"model": "m1", **body})
    error = heard.json["error"]
    assert error["message"] == f"No offer of the model takes {words}."
    assert (heard.status, param(heard)) == (400, field)
    assert "unsupported_parameter" in str(error)
    assert heard.header("x-should-retry") == "false"
    assert simple.upstream.asked == []


async def test_what_an_offer_could_do_but_for_another_wish_is_no_mistake(simple: Gateway) -> None:
    body = {"model": "m2", "messages": [HI], "n": 2}
    heard = await simple.post(CHAT, {**body, "provider": {"ignore": ["two"]}})
    refused(heard, 503, "no_available_provider")
    assert "`capabilities` (the request has `n` (more than 1))" in heard.json["error"]["message"]
    assert (await simple.post(CHAT, body)).status == 200


async def test_what_offers_can_do_one_by_one_is_said_to_be_too_much_together(start: Start) -> None:
    async with listening() as upstream:
        rows = [
            upstream_settings(name, upstream, {**PRICED, "capabilities": [able]})
            for name, able in (("one", "several"), ("two", "tools"))
        ]
        gateway = await start(upstream=upstream, upstreams=rows)
        heard = await gateway.chat(n=2, tools=[FUNCTION])
    refused(heard, 400, "unsupported_parameter", "tools")
    words = "No offer of the model takes `tools`, `n` (more than 1) together."
    assert heard.json["error"]["message"] == words


async def test_unknown_fields_of_a_response_are_listed_where_nobody_is_told_them(
    gateway: Gateway,
) -> None:
    body = {
        "model": "m1",
        "input": "Hi",
        "brand_new": {"a": 1},
        "unset": None,
        "truncation": "auto",
    }
    heard = await gateway.post(RESPONSES, {**body, "metadata": {"a": "b"}, "off": False})
    assert heard.header("x-gateway-dropped") == "truncation, brand_new"


async def test_what_a_message_loses_is_listed_with_its_place(gateway: Gateway) -> None:
    marked = {"type": "text", "text": "a", "citations": [{"a": 1}]}
    plain = {"type": "text", "text": "b"}
    said = [{"role": "user", "content": [plain, marked]}, {"role": "assistant", "content": "c"}]
    heard = await gateway.post(MESSAGES, message(*said, {"role": "user", "content": [marked]}))
    listed = "messages[0].content[1].citations, messages[2].content[0].citations"
    assert heard.header("x-gateway-dropped") == listed


async def test_what_gemini_loses_is_listed_with_its_place(gateway: Gateway) -> None:
    film = {"inlineData": {"mimeType": "video/mp4", "data": "AA=="}, "videoMetadata": {"fps": 1}}
    text = {"text": "Hi"}
    answer = {"functionResponse": {"name": "f", "response": {}, "scheduling": "SILENT"}}
    call = {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}
    body = {"contents": [*contents(text), call, *contents(answer), *contents(text, film)]}
    heard = await gateway.post(GEMINI, {**body, "systemInstruction": {"parts": [text, film]}})
    assert heard.header("x-gateway-dropped") == (
        "contents[2].parts[0].functionResponse.scheduling, contents[3].parts[1].videoMetadata, "
        "systemInstruction.parts[1]"
    )


async def test_an_empty_part_is_told_which_kinds_there_are(gateway: Gateway) -> None:
    heard = await gateway.post(GEMINI, {"contents": contents({"text": "a"}, {})})
    assert (heard.status, param(heard)) == (400, "contents[0].parts[1]")
    words = heard.json["error"]["message"]
    assert words.startswith("contents[0].parts[1]: one of text, inlineData, fileData, functionCall")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"output_format": {"type": "json_schema", "schema": None}}, "output_format.schema"),
    ],
    ids=str,
)
async def test_the_schema_of_a_form_is_missed_by_its_path(
    gateway: Gateway, fields: dict[str, object], path: str
) -> None:
    heard = await gateway.post(MESSAGES, message(HELLO, **fields))
    assert (heard.status, heard.code, param(heard)) == (400, "missing_required_field", path)


async def test_a_form_that_only_the_dialect_knows_is_named_by_its_path(gateway: Gateway) -> None:
    heard = await gateway.post(MESSAGES, message(HELLO, output_format={"type": "poem"}))
    assert (heard.code, param(heard)) == ("unsupported_parameter", "output_format.type")


async def make(gateway: Gateway, previous: object = None) -> str:
    body = {"model": "m1", "input": "Hi", "previous_response_id": previous}
    made: str = (await gateway.post(RESPONSES, body)).json["id"]
    return made


async def test_of_a_conversation_that_lost_a_turn_it_is_told_which(gateway: Gateway) -> None:
    first = await make(gateway)
    second = await make(gateway, first)
    third = await make(gateway, second)
    assert (await gateway.send("DELETE", f"{RESPONSES}/{first}", (BEARER,))).status == 200
    body = {"model": "m1", "input": "Hi", "previous_response_id": third}
    heard = await gateway.post(RESPONSES, body)
    refused(heard, 400, "previous_response_not_found", "previous_response_id")
    words = heard.json["error"]["message"]
    assert words.startswith(f"The previous response '{third}' goes back to the response '{first}'")
    heard = await gateway.post(RESPONSES, {**body, "previous_response_id": first})
    assert heard.json["error"]["message"] == f"Previous response with id '{first}' not found."


@pytest.mark.parametrize(
    ("item", "code", "path"),
    [
        ({"role": "user", "content": [{"type": 5}]}, "invalid_field", "input[1].content[0].type"),
        ({"role": "user", "content": [{"text": "a"}]}, "missing_required_field", "input[1].content[0].type"),
        ({"role": "user", "content": [{"type": "new"}]}, "unsupported_parameter", "input[1].content[0].type"),
        ({"type": "new"}, "unsupported_parameter", "input[1].type"),
        ({"type": "item_reference", "id": "msg_none"}, "item_not_found", "input[1].id"),
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_wrong_with_an_item_is_told_with_its_place(
    gateway: Gateway, item: dict[str, object], code: str, path: str
) -> None:
    heard = await gateway.post(RESPONSES, {"model": "m1", "input": [HI, item]})
    assert (heard.code, param(heard)) == (code, path)


async def test_an_item_that_no_chat_can_say_is_not_taken_for_none(gateway: Gateway) -> None:
    heard = await gateway.post(RESPONSES, {"model": "m1", "input": [{"type": "new"}]})
    refused(heard, 400, "unsupported_parameter", "input[0].type")
    aside = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    heard = await gateway.post(RESPONSES, {"model": "m1", "input": [aside]})
    refused(heard, 400, "invalid_field", "input")


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/v1/images/edits", "multipart/form-data or application/json"),
        ("/v1/images/variations", "multipart/form-data"),
        ("/v1/audio/transcriptions", "multipart/form-data"),
        ("/v1/images/generations", "application/json"),
    ],
)
async def test_a_form_of_another_kind_is_told_which_kind_is_taken(
    gateway: Gateway, path: str, kinds: str
) -> None:
    head = (BEARER, ("Content-Type", "application/x-www-form-urlencoded"))
    heard = await gateway.send("POST", path, head, b"prompt=a&model=b")
    refused(heard, 415, "unsupported_media_type")
    assert heard.json["error"]["message"] == f"Content-Type must be {kinds}."


async def test_counting_for_a_model_that_is_not_served_tells_where_that_is_done(
    gateway: Gateway,
) -> None:
    asked = (
        ("/v1/messages/count_tokens", {**message(HELLO), "model": "none"}),
        ("/v1beta/models/none:countTokens", {"contents": contents()}),
    )
    for path, body in asked:
        heard = await gateway.post(path, body)
        assert (heard.status, param(heard)) == (404, "model")
        assert "/utils/token_counter counts" in heard.json["error"]["message"]
    body = {"model": "none", "messages": [HI]}
    heard = await gateway.post("/utils/token_counter", body)
    assert (heard.status, heard.json["exact"]) == (200, False)
    narrow: Headers = (("Authorization", f"Bearer {NARROW_KEY}"), JSON)
    heard = await gateway.post("/v1/messages/count_tokens", message(HELLO), narrow)
    assert (heard.status, "token_counter" in str(heard.json)) == (403, False)
