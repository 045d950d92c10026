"""Bytes in, bytes out, for both parsers: the families of cases lie beside as data."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.door.standing import PARSERS, calling, heard, standing

FAMILIES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
HEAD = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
REPEATED = re.compile(r"\{([^{}]*)\*(\d+)\}")


def written(text: str) -> str:
    """Return the text with what is repeated written out."""
    text = text.replace("{head}", HEAD)
    return REPEATED.sub(lambda found: found[1] * int(found[2]), text)


def replies(said: bytes) -> Iterator[str]:
    """Return each reply as the cases write it."""
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        body = json.loads(rest[: int(headers["content-length"])])
        said = rest[int(headers["content-length"]) :]
        status = lines[0].split(" ")[1]
        if status == "200":
            yield " ".join(filter(None, [status, body["method"], body["path"], body["body"]]))
        else:
            assert headers["connection"] == "close"
            assert said == b"", "something was said after a refusal"
            yield f"{status} {body['error']['code']}"


def _cases() -> Iterator[object]:
    for family in FAMILIES:
        for name, case in yaml.safe_load(family.read_text()).items():
            yield pytest.param(case["in"], case["out"], id=f"{family.stem}: {name}")


@pytest.mark.parametrize("http", PARSERS)
@pytest.mark.parametrize(("sent", "out"), list(_cases()))
async def test_these_bytes_are_answered_so(http: str, sent: list[str], out: str) -> None:
    async with standing(http) as (port, _), calling(port) as (reader, writer):
        for piece in sent:
            writer.write(written(piece).encode("latin-1"))
            await writer.drain()
            await asyncio.sleep(0)
        expected = written(out).split(", ")
        if expected[-1].startswith("200") and "HTTP/1.0" not in sent[0]:
            writer.write(b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            expected.append("200 GET /last")
        assert list(replies(await heard(reader))) == expected
