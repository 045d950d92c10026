"""What is JSON and still refused: for its depth, its numbers, its size, and names that are there twice."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.api.caller import chat_body, refused
from tests.conftest import Gateway

from infway.api.gate import DEEPEST, LARGEST, MOST_VALUES, check_shape, read_members
from infway.kernel.errors import CallerError

PATH = "/v1/chat/completions"
HEAD = b'{"model":"m1","messages":[{"role":"user","content":"Hi"}],'
PATHS = (PATH, "/v1/messages", "/v1/responses", "/v1/completions", "/v1/embeddings",
         "/v1/rerank", "/v1beta/models/m1:generateContent", "/utils/token_counter")  # fmt: skip


def _nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def _told(body: bytes) -> str:
    """Return why a body is refused, empty where it is not."""
    try:
        check_shape(body)
        read_members(body)
    except CallerError as error:
        return f"{error.status} {error.message}"
    return ""


@pytest.mark.parametrize(
    ("more", "byte"),
    [
        (b'"a":1,"a":1}', 64),
        (b'"a":1,"a":2}', 58),
        (b'"stream":false,"model":"m2"}', None),
        (b'"a":12, "a":1}', None),
        (b'"a" : 1 , "\\u0061" : 1}', None),
        (b'"max_tokens":1,"max_tokens":1000000}', None),
        (b'"reasoning":{"effort":"low","effort":"high"}}', None),
        (b'"seed":9223372036854775808}', 65),
        (b'"seed":-9223372036854775809}', 65),
        (b'"seed":99999999999999999999}', 65),
        (b'"metadata":{"x":1e999}}', None),
        (b'"temperature":-1E+999}', None),
        (b'"metadata":' + _nested(64) + b"}", None),
        (b'"metadata":' + _nested(100_000) + b"}", None),
        (b'"metadata":[' + b"[]," * MOST_VALUES + b"1]}", None),
        (b'"metadata":["' + b'","' * (5 * MOST_VALUES) + b'"]}', None),
    ],
)
async def test_an_ambiguous_body_is_a_400_that_says_where(
    gateway: Gateway, more: bytes, byte: int | None
) -> None:
    heard = await gateway.post(PATH, HEAD + more)
    refused(heard, 400, "invalid_request_body")
    if byte is not None:
        assert f"(byte {byte})" in heard.json["error"]["message"]
    assert gateway.upstream.asked == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [b'{"model":"m1","model":"m2"}', b'{"a":12345678901234567890}', b'{"a":1e400}', _nested(65),
     b"[" * 100_000, b'{"a":' * 100_000, b"\xef\xbb\xbf{}", b'{"a":"\xff"}', b'{"a":"\\ud800"}',
     b"[]", b"1", b'"a"', b"null", b"", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1}{"a":1}',
     '{"a":1}'.encode("utf-16"), b'{"a":"\x00"}', b"{'a':1}", b'{"a":1,}', b'{"a":0x1}'],
    ids=lambda body: body[:24].hex(),
)  # fmt: skip
async def test_every_endpoint_refuses_what_is_no_plain_json(
    gateway: Gateway, path: str, body: bytes
) -> None:
    heard = await gateway.post(path, body)
    assert heard.status == 400, heard
    assert gateway.upstream.asked == []


@pytest.mark.parametrize(
    "more",
    [
        {"seed": LARGEST},
        {"seed": -LARGEST},
        {"metadata": {"a": "1" * 40, "b": "1e999", "c": "{" * 99 + '"\\"'}},
        {"temperature": 0.12345678901234567890},
        {"temperature": 1e-300},
        {"metadata": {f"k{i}": [{"a": 1}] for i in range(200)}},
        {"user": '"a":1,"a":2'},
        {"user": "\\" * 7 + '"' + "\\"},
    ],
)
async def test_what_only_looks_odd_is_taken(gateway: Gateway, more: dict[str, object]) -> None:
    for separators in ((",", ":"), (", ", ": "), (" ,\n", " :\t")):
        body = json.dumps(chat_body(**more), separators=separators).encode()
        assert (await gateway.post(PATH, body)).status == 200


def test_the_deepest_body_is_of_64_levels() -> None:
    assert _told(_nested(DEEPEST)) == ""
    assert "nested too deeply" in _told(_nested(DEEPEST + 1))
    assert f"(byte {5 + DEEPEST - 1})" in _told(_nested(DEEPEST + 1))


def test_brackets_in_strings_hide_no_depth() -> None:
    deep = b'{"}":' * 70 + b"0" + b',"{":"{"}' * 70
    assert "nested too deeply" in _told(deep)
    assert _told(b'{"a":"' + b"[" * 70 + b'"}') == ""
    assert "nested too deeply" in _told(b'{"a\\\\":' * 70 + b"0" + b"}" * 70)


def _marks(value: object) -> Iterator[int]:
    """How many objects and lists a value opens, and how many commas are in them."""
    if isinstance(value, dict | list):
        yield 1 + max(0, len(value) - 1)
        for one in value.values() if isinstance(value, dict) else value:
            yield from _marks(one)


_TEXT = ',"[{\\' * 200  # a mark in every place, and escapes
_marked = st.recursive(
    st.none() | st.integers(-LARGEST, LARGEST) | st.text() | st.text('\\",[{', max_size=9),
    lambda one: st.lists(one) | st.dictionaries(st.text('\\",{[a', max_size=5), one),
    max_leaves=30,
)


@settings(max_examples=40)
@given(_marked, st.sampled_from([0, 1]))
@example({"\\": '\\"', '"': "\\\\,"}, 1)
def test_exactly_the_values_outside_of_texts_are_counted(value: object, beyond: int) -> None:
    inside = sum(_marks([value, _TEXT]))
    padding = b",0" * (MOST_VALUES + beyond - inside - 2)
    body = b'{"a":[' + json.dumps([value, _TEXT]).encode() + padding + b"]}"
    message = f"400 The body has more than {MOST_VALUES} values."
    assert _told(body) == (message if beyond else "")


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.text(), _json, max_size=6), st.booleans(), st.integers(0, 2))
def test_what_other_parsers_write_is_taken(
    root: dict[str, object], plain: bool, space: int
) -> None:
    separators = ((",", ":"), (", ", ": "), (" , ", " : "))[space]
    body = json.dumps(root, ensure_ascii=plain, separators=separators)
    try:
        data = body.encode()
    except UnicodeEncodeError:
        return  # half of a surrogate pair, which is no JSON
    if "\\ud" not in body:
        assert _told(data) == ""


@given(
    st.dictionaries(st.text('ab\\"{}[]:, é', max_size=4), _json, min_size=1, max_size=5), st.data()
)
def test_a_name_twice_is_always_found(root: dict[str, object], data: st.DataObject) -> None:
    members = [(json.dumps(k), json.dumps(v)) for k, v in root.items()]
    name = data.draw(st.sampled_from(members))[0]
    at = data.draw(st.integers(0, len(members)))
    members.insert(at, (name, json.dumps(data.draw(_json))))
    pads = st.sampled_from(["", " ", "\n\t"])
    joined = ",".join(f"{data.draw(pads)}{k}{data.draw(pads)}:{v}" for k, v in members)
    if "\\ud" not in joined:
        assert "twice" in _told(f"{{{joined}}}".encode())
