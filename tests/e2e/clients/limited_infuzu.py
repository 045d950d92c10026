"""What the Infuzu SDK makes of a key that may ask once a minute: a report as JSON."""

import json
import sys

import infuzu.api_client as infuzu
from infuzu.errors import InfuzuAPIError

BASE, KEY = sys.argv[1:]
infuzu.API_BASE_URL = f"{BASE}/api"
QUESTION = [infuzu.ChatCompletionsHandlerRequestMessage(role="user", content="Hi")]


def ask():
    try:
        infuzu.create_chat_completion(QUESTION, KEY, "teller-seeds")
    except InfuzuAPIError as error:
        codes = [one.code for one in error.errors]
        return [error.response.status_code, *codes, error.response.headers["retry-after"]]
    return "answered"


json.dump({"first": ask(), "second": ask()}, sys.stdout)
