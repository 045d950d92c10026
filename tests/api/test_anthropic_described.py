"""The description of the API shows the Messages API as it answers."""

import jsonschema
from tests.api.anthropic_asking import HELLO
from tests.conftest import Gateway

BODY = {"model": "m1", "max_tokens": 100, "messages": [HELLO]}


async def test_real_replies_and_errors_keep_the_description(gateway: Gateway) -> None:
    description = (await gateway.get("/openapi.json", ())).json

    def check(name: str, value: object) -> None:
        part = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
        jsonschema.Draft202012Validator(part).validate(value)

    check("MessagesBody", BODY)
    check("MessageReply", (await gateway.post("/v1/messages", BODY)).json)
    check("CountReply", (await gateway.post("/v1/messages/count_tokens", BODY)).json)
    check("AnthropicError", (await gateway.post("/v1/messages", {})).json)
    for path in ("/v1/messages", "/anthropic/v1/messages/count_tokens"):
        answers = description["paths"][path]["post"]["responses"]
        error = answers["400"]["content"]["application/json"]["schema"]
        assert error == {"$ref": "#/components/schemas/AnthropicError"}
