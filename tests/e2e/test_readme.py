"""What the README says to type, on the gateway that it has just had started."""

import json
import re
import shutil
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.e2e.gateway import run, serving

TEXT = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
JSON = {"Content-Type": "application/json"}
KEY = re.compile(r"sk-iw-\w{12}-\w{49}")


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    assert ".venv/bin/infway serve --sandbox " in TEXT
    with serving(tmp_path_factory.mktemp("readme"), "--sandbox", "--no-local") as gateway:
        yield gateway


def typed(sandbox, text: str) -> str:
    """Return a block as it is typed: with the address and the key that the start printed."""
    here = text.replace("http://127.0.0.1:8080", sandbox.url)
    return here.replace("sk-iw-...", KEY.findall(sandbox.banner)[0])


@pytest.mark.parametrize("sample", blocks("python"), ids=["openai", "anthropic"])
def test_a_python_sample_prints_an_answer(sandbox, sample):
    done = run(sys.executable, "-c", typed(sandbox, sample))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_curl_line_streams_an_answer(sandbox):
    [block] = [text for text in blocks("sh") if "\ncurl " in text]
    lines = block.split("\n\n")[:2]  # the key, and the call; the commands have tests of their own
    done = run("bash", "-c", typed(sandbox, "\n".join(lines)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("data: [DONE]\n\n")


def test_the_request_is_explained_and_answered(sandbox, tmp_path):
    [body] = blocks("json")
    file = tmp_path / "request.json"
    file.write_text(body)
    assert "infway explain request.json --sandbox " in TEXT
    done = sandbox.infway("explain", str(file), "--sandbox", "--no-local")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^1 +sandbox-thrifty/sandbox-chat ", done.stdout, re.MULTILINE)
    assert "ruled out by max_output_cost" in done.stdout
    bearer = {"Authorization": f"Bearer {KEY.findall(sandbox.banner)[0]}"}
    request = urllib.request.Request(
        f"{sandbox.url}/v1/chat/completions", body.encode(), {**bearer, **JSON}
    )
    with urllib.request.urlopen(request) as response:
        assert json.loads(response.read())["choices"][0]["message"]["content"]
