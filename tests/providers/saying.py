"""Streams of the OpenAI dialect as tests say them, and the faults they end in."""

from tests.providers.reading import broken, decode, pieces
from tests.wall.answer import frame

from infway.kernel.faults import Fault
from infway.providers.openai.adapter import OpenAI

ADAPTER = OpenAI()
FIRST = frame({"role": "assistant", "content": ""})
FINISH = frame({}, "stop")
COUNTS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def say(word: str) -> bytes:
    return frame({"content": word})


def events_of(*frames: bytes, size: int = 10**6):
    return decode(ADAPTER.decoder(), pieces(b"".join(frames), size))


def in_reads(*reads: bytes):
    return decode(ADAPTER.decoder(), list(reads))


def fault_of(events) -> Fault | None:
    end = broken(events)
    return None if end is None else end.failure.fault
