"""Messages as clients spell them, brought to the one spelling that upstreams read."""

from tests.conftest import Gateway

PATH = "/v1/chat/completions"
USER = {"role": "user", "content": "Hi"}


async def test_what_the_infuzu_sdk_sends_is_understood(gateway: Gateway) -> None:
    weights = {"price": 5.0, "error": None, "start_latency": None, "end_latency": None}
    part = {"type": "text", "text": "Look", "image_url": None, "input_audio": None}
    image = {**part, "type": "image_url", "text": None, "image_url": "https://example.org/a.png"}
    body = {
        "messages": [
            {"role": "system", "content": "Be kind", "name": None},
            {"role": "user", "content": [part, image], "name": None},
        ],
        "model": {
            "llms": ["m1", "m2"],
            "exclude_llms": None,
            "weights": weights,
            "imsn": None,
            "max_input_cost": None,
            "max_output_cost": None,
        },
    }
    heard = await gateway.post(PATH, body)
    assert heard.status == 200
    assert gateway.upstream.asked[0].json["messages"] == [
        {"role": "system", "content": "Be kind"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            ],
        },
    ]


async def test_other_spellings_of_parts_are_brought_to_the_one_upstreams_read(
    gateway: Gateway,
) -> None:
    audio = {"data": "UklGRg==", "format": "mp3"}
    parts = [
        {"type": "input_audio", "input_audio": "data:audio/mpeg;base64,UklGRg=="},
        {"type": "input_audio", "input_audio": "data:audio/x-wav;base64,UklGRg=="},
        {"type": "input_audio", "input_audio": "UklGRg=="},
        {"type": "input_audio", "input_audio": audio},
        {"type": "image_url", "image_url": {"url": "data:,x", "detail": "low"}},
    ]
    heard = await gateway.chat(messages=[{"role": "user", "content_parts": parts}])
    assert heard.status == 200
    (message,) = gateway.upstream.asked[0].json["messages"]
    assert message.keys() == {"role", "content"}
    wav = {"data": "UklGRg==", "format": "wav"}
    assert [part.get("input_audio") for part in message["content"]] == [
        audio,
        wav,
        wav,
        audio,
        None,
    ]
    assert message["content"][4] == parts[4]


async def test_content_stands_above_content_parts(gateway: Gateway) -> None:
    other = [{"type": "text", "text": "other"}]
    for content, seen in (("said", "said"), (None, other), ("", "")):
        message = {"role": "user", "content": content, "content_parts": other}
        assert (await gateway.chat(messages=[message])).status == 200
        assert gateway.upstream.asked[-1].json["messages"] == [{"role": "user", "content": seen}]


async def test_well_spelled_messages_go_on_byte_for_byte(gateway: Gateway) -> None:
    raw = (
        rb'[ {"role" : "user", "content":"\u00e9 \ud83d\ude00 2\/3",  "name":"a"},'
        rb'{"role":"assistant","content":"x","tool_calls":[{"id":"1","type":"function",'
        rb'"function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1",'
        rb'"content":"1.10e5"},{"role":"developer","content":[{"type":"text","text":"t",'
        rb'"cache_control":{"type":"ephemeral","ttl":"1h"}}]},{"role":"function","name":"f",'
        rb'"content":"y"},{"role":"assistant","content":"and so"}]'
    )
    assert (await gateway.post(PATH, b'{"model":"m1","messages":' + raw + b"}")).status == 200
    assert raw in gateway.upstream.asked[0].body


async def test_messages_beat_the_prompt(gateway: Gateway) -> None:
    heard = await gateway.chat(prompt="Write a poem")
    assert "message" in heard.json["choices"][0]
    assert gateway.upstream.asked[0].json["messages"] == [USER]


async def test_a_prompt_becomes_one_message_of_the_user(gateway: Gateway) -> None:
    for prompt, seen in (("Say é", "Say é"), (["a", "b"], "a\nb")):
        heard = await gateway.post(PATH, {"model": "m1", "prompt": prompt})
        assert heard.status == 200
        said = gateway.upstream.asked[-1].json
        assert said["messages"] == [{"role": "user", "content": seen}]
        assert "prompt" not in said
