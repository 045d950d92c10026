"""What a Messages request says that chats cannot: needed, listed as lost, or wrong."""

import pytest
from tests.api.anthropic_asking import (
    HELLO,
    PDF,
    WEATHER,
    asked,
    assistant,
    fields,
    native,
    result,
    text,
    use,
    user,
)

from infway.kernel.errors import CallerError


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, ("tools[0].type",)),
        ({"container": "c_1"}, ("container",)),
        ({"mcp_servers": [{"type": "url", "url": "https://a.b"}]}, ("mcp_servers",)),
        ({"max_tokens": 0}, ("max_tokens",)),
        (
            {"messages": [user({"type": "image", "source": {"type": "file", "file_id": "f"}})]},
            ("messages[0].content[0].source",),
        ),
        (
            {"messages": [user({"type": "container_upload", "file_id": "f"})]},
            ("messages[0].content[0].type",),
        ),
    ],
)
def test_what_only_the_dialect_can_say_is_needed(body: dict, paths: tuple[str, ...]) -> None:
    assert native(asked(**body)).needs == paths


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"context_management": {"edits": [{}]}}, ("context_management",)),
        ({"speed": "fast"}, ("speed",)),
        ({"metadata": {"user_id": "u" * 65}}, ("metadata.user_id",)),
        ({"output_config": {"effort": "max"}}, ("output_config.effort",)),
        ({"tools": [{**WEATHER, "defer_loading": True}]}, ("tools[0].defer_loading",)),
        (
            {"messages": [HELLO, assistant(use()), user(result(is_error=True))]},
            ("messages[2].content[0].is_error",),
        ),
        (
            {"messages": [user({"type": "document", "source": PDF, "citations": {"enabled": True}})]},
            ("messages[0].content[0].citations",),
        ),
        ({"messages": [HELLO, assistant(use(), text("late"))]}, ("messages[1].content.order",)),
    ],
)  # fmt: skip
def test_what_others_are_not_told_is_listed(body: dict, paths: tuple[str, ...]) -> None:
    ask = asked(**body)
    assert native(ask).lost == paths
    assert native(ask).needs == ()


def test_infways_own_fields_stay_infways() -> None:
    ask = asked(provider={"only": ["one"]}, fallback_models=["m2"], usage={"include": True})
    assert ask.selection.only == ("one",)
    assert ask.selection.fallback_models == ("m2",)
    assert set(native(ask).fields) == {"model", "max_tokens", "messages"}
    assert set(fields(ask)) == {"max_tokens", "messages"}


def test_headers_of_the_dialect_go_along_and_betas_add_up() -> None:
    headers = ((b"anthropic-version", b"2023-06-01"), (b"anthropic-beta", b"a"), (b"anthropic-beta", b"b"), (b"x", b"y"))  # fmt: skip
    said = native(asked(headers=headers)).headers
    assert dict(said) == {"anthropic-version": "2023-06-01", "anthropic-beta": "a,b"}


@pytest.mark.parametrize("name", [b"anthropic-version", b"anthropic-beta"])
@pytest.mark.parametrize(
    "value", [b"a\xe9", b"a\x80b", b"a\x00b", b"a\tb", b"a\r\nx-api-key: b", b"\x7f"]
)
def test_a_header_that_goes_along_is_printable_ascii(name: bytes, value: bytes) -> None:
    with pytest.raises(CallerError) as caught:
        asked(headers=((name, value),))
    refused = caught.value
    assert (refused.status, refused.code, refused.param) == (400, "invalid_field", name.decode())


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"max_tokens": None}, "invalid_field", "max_tokens"),
        ({"temperature": 1.5}, "invalid_field", "temperature"),
        ({"messages": []}, "invalid_field", "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "invalid_field", "messages[0].role"),
        ({"messages": [user({})]}, "missing_required_field", "messages[0].content[0].type"),
        ({"messages": [user({"type": "text"})]}, "missing_required_field", "messages[0].content[0].text"),
        (
            {"messages": [HELLO, assistant({"type": "tool_use", "id": "a", "name": "b", "input": 1})]},
            "invalid_field", "messages[1].content[0].input",
        ),
        (
            {"messages": [user({"type": "image", "source": {"type": "base64", "data": "x"}})]},
            "missing_required_field", "messages[0].content[0].source.media_type",
        ),
        ({"tools": [{"description": "x"}]}, "missing_required_field", "tools[0].name"),
        ({"tool_choice": {"type": "some"}}, "invalid_field", "tool_choice.type"),
        ({"model": ""}, "invalid_field", "model"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_by_its_path(more: dict, code: str, param: str) -> None:
    with pytest.raises(CallerError) as caught:
        asked(**more)
    assert (caught.value.code, caught.value.param) == (code, param)
