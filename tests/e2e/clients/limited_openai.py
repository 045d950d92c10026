"""What the OpenAI SDK makes of a key that may ask once a minute: a report as JSON."""

import json
import sys

import openai

_, url, key = sys.argv
client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
chat = {"model": "teller-seeds", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}
report = {}
first = client.chat.completions.with_raw_response.create(**chat)
report["headers"] = dict(first.headers)
try:
    client.chat.completions.create(**chat)
except openai.APIStatusError as error:
    report["refused"] = {
        "class": type(error).__name__,
        "code": error.code,
        "type": error.type,
        "message": error.message,
        "headers": dict(error.response.headers),
    }
json.dump(report, sys.stdout)
