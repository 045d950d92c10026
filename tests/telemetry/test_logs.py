"""A log line is one line, and never carries a secret."""

import io
import json
import logging

import pytest

from infway.telemetry.logs import redact_logs, write_logs

SECRET = "sk-verysecret-0123456789"


def redact(text: str) -> str:
    return text.replace(SECRET, "[redacted]")


@pytest.fixture(params=["json", "text"])
def stream(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    handler = write_logs("info", request.param)
    assert isinstance(handler, logging.StreamHandler)
    redact_logs(handler, str.upper)  # an earlier one, which is replaced
    redact_logs(handler, redact)
    written = io.StringIO()
    handler.setStream(written)
    yield written
    root.handlers[:], level = before
    root.setLevel(level)


def test_a_secret_is_in_no_line(stream: io.StringIO):
    logging.getLogger("x").info("key %s and %s", SECRET, "more")
    assert SECRET not in stream.getvalue()
    assert "key [redacted] and more" in stream.getvalue()


def test_a_secret_is_in_no_traceback(stream: io.StringIO):
    try:
        raise ValueError(f"the key {SECRET} is wrong")
    except ValueError:
        logging.getLogger("x").exception("it failed")
    assert SECRET not in stream.getvalue()
    assert "the key [redacted] is wrong" in stream.getvalue()


def test_a_json_line_stays_one_line(stream: io.StringIO):
    logging.getLogger("x").warning('two\nlines \x1b[31m "quoted"')
    text = stream.getvalue()
    if text.startswith("{"):
        assert text.count("\n") == 1
        line = json.loads(text)
        assert (line["level"], line["logger"]) == ("warning", "x")
        assert line["message"] == 'two\nlines \x1b[31m "quoted"'
