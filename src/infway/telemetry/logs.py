"""The shape of a log line: JSON for machines, plain text for a terminal; never a secret."""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import orjson

_PLAIN = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")


class JsonFormatter(logging.Formatter):
    """One JSON object a line; control characters cannot break out of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = record.exc_text or self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


class _Redacted(logging.Filter):
    """Takes secrets out of every line, whoever wrote it."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the message; nothing is held back."""
        record.msg, record.args = self._redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = self._redact(_PLAIN.formatException(record.exc_info))
        return True


def write_logs(level: str, form: str) -> logging.Handler:
    """Send the process's log to stderr; `form` auto is text on a terminal, JSON elsewhere."""
    handler = logging.StreamHandler(sys.stderr)
    is_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler.setFormatter(_PLAIN if is_text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    return handler


def redact_logs(handler: logging.Handler, redact: Callable[[str], str]) -> None:
    """Let `redact` see every line of `handler`; replaces an earlier one."""
    for old in [one for one in handler.filters if isinstance(one, _Redacted)]:
        handler.removeFilter(old)
    handler.addFilter(_Redacted(redact))
