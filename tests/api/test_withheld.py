"""What is passed on of a stream that breaks: all that was sound, and nothing of why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infway.api.withheld import before_failure

SAID = b'event: a\ndata: {"type": "a", "text": "\\"error\\": {}"}\n\n'
ALIVE = b": still here\n\n"
CALL = b'data: {"functionCall": {"args": {"error": 1}}, "error": null}\n\n'
FAILURES = [
    b'event: error\ndata: {"type": "error", "error": {"message": "secret"}}\n\n',
    b'event: error\ndata: {"message": "secret"}\n\n',
    b'data: {"type": "error", "message": "secret"}\n\n',
    b'data: {"error": "secret"}\n\n',
    b'data: {"type": "response.failed", "response": {}}\n\n',
    b'data: {"type": "response.cancelled", "response": {}}\n\n',
    b'data: {"type": "x", "response": {"error": {"message": "secret"}}}\n\n',
    b"data: secret\n\n",
    b"data: [DONE]\n\n",
    b"data: \xff\n\n",
]


@pytest.mark.parametrize("failure", FAILURES)
def test_frames_end_before_the_first_that_says_an_error(failure: bytes) -> None:
    assert before_failure(SAID + ALIVE + CALL + failure + SAID) == SAID + ALIVE + CALL


def test_a_block_without_an_error_stays_as_it_is() -> None:
    assert before_failure(SAID + ALIVE + CALL) == SAID + ALIVE + CALL
    assert before_failure(b"") == b""


@given(st.binary(max_size=60), st.sampled_from([b'data: {"type":[', b'data: {"type":[]}\n\n', b""]))
def test_any_bytes_are_a_beginning_of_themselves(noise: bytes, mark: bytes) -> None:
    block = SAID + mark + noise + b"\n\n"
    assert before_failure(block).startswith(SAID)
