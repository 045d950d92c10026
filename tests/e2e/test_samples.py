"""Each vendor's own sample, run as its document shows it: only address and key are replaced."""

import json
import re
import shutil
import urllib.request
from pathlib import Path

import pytest
from tests.e2e.conftest import KEY, TAGS, python
from tests.e2e.gateway import CLIENTS, reported, run
from tests.e2e.upstream import ANSWER, ARGUMENTS, COLORS

SAMPLES = Path(__file__).parent / "samples"
ADDRESS = re.compile(r"https://(api\.infe\.io|api\.getinfinityblue\.com|llm\.onerouter\.pro)")
PLACEHOLDER = re.compile(r"your-infe-api-key|YOUR_API_KEY|<API_KEY>|\$INFE_API_KEY|\$API_KEY")
PRINTED = {
    "infe_stream": ANSWER + " ",
    "infe_tools": f"Function: get_weather\nArguments: {ARGUMENTS}\n",
    "infe_json": f"{COLORS}\n",
    "infinityblue_openai": f"{ANSWER}\n",
    "infron_openai": f"{ANSWER}\n",
    "infron_requests": f"{ANSWER}\n",
}


def sample(name: str, url: str) -> str:
    text = (SAMPLES / name).read_text()
    return PLACEHOLDER.sub(KEY, ADDRESS.sub(url, text))


@pytest.fixture(scope="module", params=TAGS)
def printed(request, gateway, tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    files = [folder / f"{name}.py" for name in PRINTED]
    for file in files:
        file.write_text(sample(f"{file.stem}.txt", gateway.url))
    return reported(python(request.param), CLIENTS / "run_samples.py", *files)


@pytest.mark.parametrize("name", PRINTED)
def test_a_python_sample_prints_the_answer(printed, name):
    assert printed[name] == PRINTED[name]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
@pytest.mark.parametrize("name", ["infe_curl", "infinityblue_curl", "infron_curl"])
def test_a_curl_sample_gets_the_documented_body(gateway, name):
    done = run("bash", "-c", sample(f"{name}.sh", gateway.url))
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert body["choices"][0]["message"] == {"role": "assistant", "content": ANSWER}
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["total_tokens"] == 33


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on this machine")
@pytest.mark.parametrize("name", ["infron_fetch", "infron_prefill"])
def test_a_fetch_sample_gets_the_answer(gateway, tmp_path, name):
    text = sample(f"{name}.js", gateway.url).replace("{{MODEL}}", "claude-3-5-sonnet@20240620")
    shown = text.rstrip().rstrip(";") + ".then(r => r.json()).then(b => console.log(b.choices[0]))"
    done = run("node", "-e", shown, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ANSWER in done.stdout


def infermatic(url: str, path: str, **changes: object) -> dict:
    body = json.loads(sample("infermatic_body.json", url))
    body = {**body, "model": "Mixtral-8x7B-Instruct-v0.1", **changes}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read())


@pytest.mark.parametrize(
    "path",
    [
        "/chat/completions",
        "/v1/chat/completions",
        "/engines/Mixtral-8x7B-Instruct-v0.1/chat/completions",
        "/openai/deployments/Mixtral-8x7B-Instruct-v0.1/chat/completions",
    ],
)
def test_infermatics_body_with_prompt_and_messages_is_answered(gateway, upstream, path):
    answer = infermatic(gateway.url, path)
    assert answer["choices"][0]["message"]["content"] == ANSWER
    sent = upstream.calls("teller-seeds")[-1]
    assert (sent["top_k"], sent["repetition_penalty"], sent["max_tokens"]) == (40, 1.2, 7000)
    assert "prompt" not in sent
    assert sent["messages"] == [{"role": "user", "content": "[your prompt here]"}]
