"""The truth of Claude's replies by Bedrock InvokeModel: Anthropic's messages in AWS's frames.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
"""

import base64
import json
from collections.abc import Iterator

from tests.conformance import truth_anthropic
from tests.conformance.recording import Recording
from tests.conformance.said import Failing, Said
from tests.conformance.truth_errors import failing
from tests.conformance.wires import Json, aws_frames


def read(recording: Recording) -> Said:
    """Return what a recorded reply says."""
    if recording.status != 200:
        return Said(failing=failing(recording))
    if not recording.is_streamed:
        return truth_anthropic.read_whole(json.loads(recording.text))
    said = truth_anthropic.read_stream(_events(recording.body))
    broken = any(":exception-type" in frame.headers for frame in aws_frames(recording.body))
    return Said(said.choices, failing=Failing()) if broken else said


def _events(body: bytes) -> Iterator[Json]:
    """Yield Anthropic's events, each packed in base64."""
    for frame in aws_frames(body):
        if frame.headers.get(":event-type") == "chunk":
            yield json.loads(base64.b64decode(json.loads(frame.payload)["bytes"]))
