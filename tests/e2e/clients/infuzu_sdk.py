"""What the Infuzu SDK makes of a gateway, as JSON on standard output.

`python infuzu_sdk.py BASE_URL KEY`, in a folder with a file `.package-version`.
"""

import json
import sys

import infuzu.api_client as infuzu
from infuzu.errors import InfuzuAPIError

BASE, KEY = sys.argv[1:]
infuzu.API_BASE_URL = f"{BASE}/api"
QUESTION = [
    infuzu.ChatCompletionsHandlerRequestMessage(role="system", content="You are concise."),
    infuzu.ChatCompletionsHandlerRequestMessage(role="user", content="Capital of France?"),
]


def ask(model=None, key=KEY):
    return infuzu.create_chat_completion(QUESTION, key, model).model_dump(by_alias=True)


def refused(model=None, key=KEY):
    try:
        ask(model, key)
    except InfuzuAPIError as error:
        codes = [one.code for one in error.errors]
        return {"status": error.response.status_code, "codes": codes, "warnings": error.warnings}
    return None


def parts():
    part = infuzu.ChatCompletionsRequestContentPart(type="text", text="Capital of France?")
    message = infuzu.ChatCompletionsHandlerRequestMessage(role="user", content=[part])
    done = infuzu.create_chat_completion([message], KEY, "teller-infuzu")
    return done.choices[0].message.content


Params, Weights = infuzu.InfuzuModelParams, infuzu.ModelWeights
TWO = ["teller-infuzu", "second-infuzu"]
report = {
    "named": ask("teller-infuzu"),
    "chosen": ask(),
    "weighed": ask(Params(llms=TWO, weights=Weights(price=5.0))),
    "several": ask(Params(llms=TWO, imsn=2)),
    "half": ask(Params(llms=["teller-infuzu", "failing-infuzu"], imsn=2)),
    "excluded": ask(Params(llms=TWO, exclude_llms=["teller-infuzu"])),
    "parts": parts(),
    "stranger": refused("teller-infuzu", "nobody-knows-this-key"),
    "unknown": refused("nothing"),
    "too_cheap": refused(Params(llms=TWO, max_input_cost=0.0000001)),
    "wrong_weight": refused(Params(weights=Weights(price=1001))),
    "failing": refused("failing-infuzu"),
    "limited": refused("limited-infuzu"),
}
json.dump(report, sys.stdout)
