"""The first start with no keys at all: the embedded model answers."""

import json
import shutil

import pytest
from tests.e2e.gateway import run, serving

from infway.embedded import Embedded, available

pytestmark = pytest.mark.skipif(
    not available(), reason="the packages of requirements/local.txt are not installed"
)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("embedded"), "--no-local") as gateway:
        yield gateway


def test_the_banner_names_the_model(first):
    assert f"{Embedded.model}, on this machine" in first.banner
    assert "sandbox" not in first.banner


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_banners_line_gets_a_real_answer(first):
    done = run("bash", "-c", first.banner[first.banner.index("curl ") :])
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["model"] == Embedded.model
    assert answer["choices"][0]["message"]["content"].strip()
    assert answer["usage"]["completion_tokens"] > 0


def test_chat_and_models_know_the_model(first):
    done = first.infway("chat", "--max-tokens", "40", "What is the capital of France?")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert Embedded.model in first.infway("models").stdout
    assert first.stop() == 0
