"""Frameworks that teams already have, working when only their base URL is changed."""

import os
import shutil

import pytest
from tests.e2e.conftest import KEY
from tests.e2e.gateway import CLIENTS, FRAMEWORKS, PATIENCE, reported
from tests.e2e.upstream import ANSWER

USED = "The tool says: 18 degrees in Tokyo"
CALL = [["weather", {"location": "Tokyo"}]]
USAGE = [25, 8]
VECTORS = [[0.5, 0.25], [0.5, 0.25]]
VERCEL = CLIENTS / "vercel"


@pytest.fixture(scope="module")
def reports(gateway):
    assert FRAMEWORKS.exists(), f"{FRAMEWORKS} is missing: make install-dev"
    script = CLIENTS / "frameworks.py"
    return reported(FRAMEWORKS, script, gateway.url, KEY, patience=3 * PATIENCE)  # one for each


def report_of(reports, name):
    assert isinstance(reports[name], dict), reports[name]
    return reports[name]


@pytest.fixture
def langchain(reports):
    return report_of(reports, "langchain_client")


@pytest.fixture
def llama_index(reports):
    return report_of(reports, "llama_index_client")


@pytest.fixture
def agents(reports):
    return report_of(reports, "agents_sdk")


@pytest.fixture(scope="module")
def vercel(gateway):
    if shutil.which("node", path=os.defpath) is None or not (VERCEL / "node_modules").is_dir():
        pytest.skip("node is not on this machine, or its packages are not: make install-dev")
    return reported("node", VERCEL / "client.mjs", gateway.url, KEY)


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_langchain_answers_streams_and_uses_its_tool(langchain, api):
    told = langchain[api]
    assert told["answer"] == ANSWER
    assert told["usage"] == USAGE
    assert told["streamed"].strip() == ANSWER
    assert told["used"] == USED
    assert told["streamed_call"] == CALL


def test_langchain_reads_vectors(langchain):
    assert langchain["vectors"] == VECTORS


def test_llama_index_answers_streams_and_uses_its_tool(llama_index):
    assert llama_index["answer"] == ANSWER
    assert llama_index["streamed"].strip() == ANSWER
    assert llama_index["used"] == "18 degrees in Tokyo"


def test_llama_index_continues_texts(llama_index):
    assert llama_index["continued"] == ANSWER
    assert llama_index["continued_streamed"].strip() == ANSWER


def test_llama_index_reads_vectors(llama_index):
    assert llama_index["vector"] == VECTORS[0]


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_the_agents_sdk_uses_its_tool_and_streams(agents, api):
    told = agents[api]
    assert told["output"] == USED
    assert told["streamed"].strip() == told["deltas"].strip() == USED
    assert told["usage"] == [2, 50, 16]


@pytest.mark.parametrize("api", ["chat", "compatible", "responses", "messages"])
def test_the_vercel_sdk_answers_streams_and_uses_its_tool(vercel, api):
    told = vercel[api]
    assert told["answer"] == ANSWER
    assert told["usage"] == USAGE
    assert told["streamed"].strip() == ANSWER
    assert told["finish"] == "stop"
    assert told["used"] == told["streamed_use"].strip() == USED


def test_the_vercel_sdk_reads_vectors(vercel):
    assert vercel["vectors"] == VECTORS
