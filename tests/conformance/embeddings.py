"""Recorded embeddings through the gateway: what the OpenAI SDK reads, in both formats."""

import json
from itertools import zip_longest
from math import isclose
from typing import Any

import openai
from openai import AsyncOpenAI, omit
from tests.conformance import truth_embeddings
from tests.conformance.hearing import failed
from tests.conformance.recording import Recording, Row
from tests.conformance.said import Said, differences, unlike
from tests.conformance.truth_embeddings import Embedded, Vector

_COST = {"usage": {"include": True}}
_NEAR = 2.0**-23  # how far apart neighbours of float32 are, of 1
_LEAST = 2.0**-149  # and how far next to 0
# Models whose calls carry one text: vendor, and what is in their names
_ALONE = (("bedrock", "titan-embed"), ("bedrock", "nova-2"), ("vertex", "gemini-embedding"))
_PARTS = 3


async def check(client: AsyncOpenAI, model: str, recording: Recording) -> list[str]:
    """Ask for the texts of a recording as numbers and as the SDK does; return the differences.

    Where a call carries one text, also for several, each of which is answered as recorded.
    """
    true, texts = truth_embeddings.read(recording), truth_embeddings.texts(recording)
    found = await _both(client, model, texts, true)
    if true.failing is None and _is_alone(recording.row):
        tokens = None if true.tokens is None else true.tokens * _PARTS
        several = Embedded(true.vectors * _PARTS, tokens)
        lines = await _both(client, model, texts * _PARTS, several)
        found += [f"{_PARTS} calls: {line}" for line in lines]
    return found


def _is_alone(row: Row) -> bool:
    return any(row.provider == vendor and word in row.model for vendor, word in _ALONE)


async def _both(client: AsyncOpenAI, model: str, texts: list[str], true: Embedded) -> list[str]:
    found: list[str] = []
    for as_text in (False, True):
        name = "base64" if as_text else "float"
        lines = await _ask(client, model, texts, true, as_text=as_text)
        found += [f"{name}: {line}" for line in lines]
    return found


async def _ask(
    client: AsyncOpenAI, model: str, texts: list[str], true: Embedded, *, as_text: bool
) -> list[str]:
    """Ask once. `as_text`: as the SDK does by default, which is base64."""
    try:
        raw = await client.embeddings.with_raw_response.create(
            model=model,
            input=texts,
            encoding_format=omit if as_text else "float",
            extra_body=_COST,
        )
    except openai.APIStatusError as error:
        return differences(Said(failing=true.failing), Said(failing=failed(error)))
    if true.failing is not None:
        return differences(Said(failing=true.failing), Said())
    wire = json.loads(raw.content)
    kinds = {type(one["embedding"]) for one in wire["data"]}
    expected = str if as_text else list
    wrong = [] if kinds == {expected} else [unlike("format", expected, kinds)]
    return wrong + _unlike(true, raw.parse())


def _unlike(true: Embedded, reply: Any) -> list[str]:
    """Return in what a reply differs from the truth."""
    heard: list[Vector] = [one.embedding for one in reply.data]
    found: list[str] = []
    if (indexes := [one.index for one in reply.data]) != list(range(len(true.vectors))):
        found.append(unlike("indexes", list(range(len(true.vectors))), indexes))
    nothing: Vector = []
    for place, (one, other) in enumerate(zip_longest(true.vectors, heard, fillvalue=nothing)):
        found += [f"vector {place} {line}" for line in _numbers(one, other)]
    usage = reply.usage
    if true.tokens is not None:
        counts = (usage.prompt_tokens, usage.total_tokens)
        if counts != (true.tokens, true.tokens):
            found.append(unlike("usage", (true.tokens, true.tokens), counts))
        cost = (reply.model_extra or {}).get("cost")
        if cost is None or abs(cost - (true.cost or 0)) > 1e-9:
            found.append(unlike("cost", true.cost, cost))
    elif usage.prompt_tokens < 1 or usage.prompt_tokens != usage.total_tokens:
        found.append(unlike("estimated usage", "the same tokens twice", usage))
    return found


def _numbers(true: Vector, heard: Vector) -> list[str]:
    if len(true) != len(heard):
        return [unlike("length", len(true), len(heard))]
    pairs = enumerate(zip(true, heard, strict=True))
    found = ((n, a, b) for n, (a, b) in pairs if not isclose(a, b, rel_tol=_NEAR, abs_tol=_LEAST))
    return [unlike(f"number {n}", a, b) for n, a, b in found][:1]
