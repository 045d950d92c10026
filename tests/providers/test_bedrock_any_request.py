"""Whatever is asked, a body leaves that AWS's own model of the API accepts, or a named refusal."""

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.providers import bedrock_asking as asking
from tests.providers.asking import calling, picture, text, tool
from tests.providers.bedrock_asking import call, data, file
from tests.providers.junk import junks

from infway.kernel.errors import UpstreamFailed

NATIVES = st.sampled_from(
    [asking.CLAUDE, asking.NEWER, asking.ELDER, asking.NOVA, asking.NOVA_2, asking.OSS, asking.GPT,
     asking.QWEN, asking.LLAMA, asking.MISTRAL, asking.UNKNOWN]
)  # fmt: skip
WORDS = st.text("ab \n\u00e9", max_size=4)
MARKS = st.sampled_from([{}, {"cache_control": {"type": "ephemeral"}},
                         {"cache_control": {"type": "ephemeral", "ttl": "1h"}}])  # fmt: skip
URLS = st.sampled_from(
    [data("image/png"), data("application/pdf"), data("text/csv"), data("video/mp4"),
     "s3://bucket/a.png", "s3://bucket/b.pdf", "https://example.com/c.png"]
)  # fmt: skip
PARTS = st.one_of(
    st.builds(lambda said, mark: text(said, **mark), WORDS, MARKS),
    st.builds(lambda url, mark: {**picture(url), **mark}, URLS, MARKS),
    st.builds(lambda url, name, mark: file(url, name, **mark), URLS, WORDS, MARKS),
)
CONTENTS = st.one_of(st.none(), WORDS, st.lists(PARTS, max_size=3))
DETAILS = st.lists(
    st.sampled_from(
        [{"type": "reasoning.text", "text": "", "signature": "s", "format": "anthropic-claude-v1"},
         {"type": "reasoning.text", "text": "Hm."},
         {"type": "reasoning.encrypted", "data": "eA==", "format": "amazon-bedrock-v1"},
         {"type": "reasoning.encrypted", "data": "eA==", "format": "openai-responses-v1"}]
    ),
    max_size=2,
)  # fmt: skip
MESSAGES = st.one_of(
    st.builds(lambda said, mark: {"role": "user", "content": said, **mark}, CONTENTS, MARKS),
    st.builds(lambda said: {"role": "system", "content": said}, CONTENTS),
    st.builds(
        lambda said, details: {"role": "assistant", "content": said, "reasoning_details": details},
        CONTENTS, DETAILS,
    ),
    st.builds(calling, WORDS.filter(bool),
              st.sampled_from(["", "{}", '{"a": 1}', "oops", "[]"])),
    st.builds(lambda id_, said: {"role": "tool", "tool_call_id": id_, "content": said}, WORDS,
              CONTENTS),
)  # fmt: skip
LEVELS = st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max", "odd"])
WISHES = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2), "top_p": st.floats(0, 1), "top_k": st.integers(1, 50),
        "max_tokens": st.integers(1, 50_000), "stop": st.lists(WORDS, max_size=4),
        "reasoning_effort": LEVELS, "parallel_tool_calls": st.booleans(),
        "tools": st.lists(st.booleans().map(lambda one: tool(strict=one)), max_size=2),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "weather"}}]
        ),
        "metadata": st.dictionaries(WORDS, WORDS, max_size=3),
        "service_tier": st.sampled_from(["auto", "default", "flex", "odd"]),
        "response_format": st.sampled_from(
            [{"type": "text"}, {"type": "json_object"},
             {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}]
        ),
    },
)  # fmt: skip
JSON = junks(
    ("role", "content", "type", "text", "tool_calls", "function", "name", "image_url", "url", "file",
     "arguments", "cache_control")
)  # fmt: skip


@settings(max_examples=400)
@given(NATIVES, st.lists(MESSAGES, min_size=1, max_size=6), WISHES)
def test_every_body_is_one_that_aws_accepts(native: str, messages: list[dict], wishes: dict):
    with suppress(UpstreamFailed):
        sent = call(*messages, native=native, **wishes)  # asks botocore
        for one in json.loads(sent.body)["messages"]:
            assert one["content"], "a message is never empty"
            texts = [block["text"] for block in one["content"] if "text" in block]
            assert all(said.strip() for said in texts), "no text is blank"


@given(NATIVES, st.lists(JSON, max_size=3), st.dictionaries(st.text(max_size=5), JSON, max_size=2))
def test_requests_of_any_shape_are_sent_or_refused(native: str, messages: list, others: dict):
    fields = {name: value for name, value in others.items() if name not in ("native", "stream")}
    with suppress(UpstreamFailed):
        call(*messages, native=native, tools=messages, **fields)
