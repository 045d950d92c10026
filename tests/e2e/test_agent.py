"""An agent framework that speaks OpenAI's dialect, working through the gateway."""

import sys
from importlib.util import find_spec

import pytest
from tests.e2e.conftest import KEY
from tests.e2e.gateway import CLIENTS, reported

pytestmark = pytest.mark.skipif(
    find_spec("pydantic_ai") is None, reason="pydantic-ai-slim is not installed: make install-dev"
)


@pytest.fixture(scope="module")
def agent(gateway):
    return reported(sys.executable, CLIENTS / "agent.py", gateway.url, KEY)


def test_an_agent_uses_its_tool_and_answers(agent):
    assert agent["asked"] == ["Tokyo"]
    assert agent["output"] == "The tool says: 18 degrees in Tokyo"


def test_an_agent_counts_the_tokens_of_both_its_requests(agent):
    assert agent["usage"] == [2, 50, 16]


def test_a_streaming_agent_uses_its_tool_too(agent):
    assert agent["streamed"].strip() == "The tool says: 18 degrees in Tokyo"


def test_an_agent_learns_why_it_was_refused(agent):
    assert agent["refused"] == {"status": 401, "code": "invalid_api_key"}
