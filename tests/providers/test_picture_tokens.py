"""Tokens of pictures in chats: read from every vendor that tells of them, and told to every caller."""

import json

import msgspec
import pytest

from infway.api.dialect import usage_object
from infway.api.gemini.reply import Candidates
from infway.kernel.events import Usage
from infway.providers.gemini import usage as gemini
from infway.providers.openai.usage import usage_of
from infway.providers.responses import usage as responses


def openai(**said: object) -> Usage:
    usage = usage_of(msgspec.Raw(json.dumps(said).encode()))
    assert usage is not None
    return usage


def test_openais_details_tell_of_pictures_on_both_sides() -> None:
    usage = openai(
        prompt_tokens=504, completion_tokens=91, total_tokens=595,
        prompt_tokens_details={"cached_tokens": 370, "image_tokens": 256},
        completion_tokens_details={"reasoning_tokens": 0, "image_tokens": 80},
    )  # fmt: skip
    assert (usage.image_input, usage.image_output, usage.cached) == (256, 80, 370)
    shown = usage_object(usage, flat=False)
    assert msgspec.json.decode(msgspec.json.encode(shown))["completion_tokens_details"] == {
        "reasoning_tokens": 0,
        "image_tokens": 80,
    }


@pytest.mark.parametrize("count", [-5, 0, None])
def test_counts_that_tell_nothing_are_none(count: object) -> None:
    usage = openai(prompt_tokens=9, prompt_tokens_details={"image_tokens": count})
    assert usage.image_input == 0


def test_the_responses_dialect_is_read_the_same() -> None:
    said = {"input_tokens": 9, "output_tokens": 8, "input_tokens_details": {"image_tokens": 4},
            "output_tokens_details": {"image_tokens": 99}}  # fmt: skip
    usage = responses.usage_of({"usage": said})
    assert usage is not None
    assert (usage.image_input, usage.image_output) == (4, 8)


def details(**counts: int) -> list[dict[str, object]]:
    return [{"modality": kind, "tokenCount": count} for kind, count in counts.items()]


def test_geminis_details_tell_of_pictures_and_of_cached_sound() -> None:
    usage = gemini.usage_of(
        {
            "promptTokenCount": 900, "toolUsePromptTokenCount": 20, "candidatesTokenCount": 1200,
            "thoughtsTokenCount": 40, "cachedContentTokenCount": 300,
            "promptTokensDetails": details(TEXT=100, IMAGE=258, AUDIO=542),
            "toolUsePromptTokensDetails": details(IMAGE=20),
            "candidatesTokensDetails": details(IMAGE=1120, TEXT=80),
            "cacheTokensDetails": details(TEXT=50, AUDIO=250),
        }
    )  # fmt: skip
    assert usage is not None
    assert (usage.prompt, usage.image_input, usage.audio_input) == (920, 278, 542)
    assert (usage.completion, usage.image_output, usage.reasoning) == (1240, 1120, 40)
    assert (usage.cached, usage.audio_cached) == (300, 250)


def test_more_pictures_than_an_answer_has_are_no_more_than_the_answer() -> None:
    said = {"promptTokenCount": 5, "candidatesTokenCount": 7, "thoughtsTokenCount": 3,
            "promptTokensDetails": details(AUDIO=4, IMAGE=9),
            "candidatesTokensDetails": details(AUDIO=2, IMAGE=1290)}  # fmt: skip
    usage = gemini.usage_of(said)
    assert usage is not None
    assert (usage.audio_input, usage.image_input) == (4, 1)
    assert (usage.audio_output, usage.image_output, usage.completion) == (2, 5, 10)


def test_callers_are_told_of_them_in_their_own_words() -> None:
    usage = Usage(900, 1240, 2140, reasoning=40, image_input=258, image_output=1120, audio_input=2)
    shown = usage_object(usage, flat=False)
    assert shown["prompt_tokens_details"] == {"audio_tokens": 2, "image_tokens": 258}
    assert shown["completion_tokens_details"] == {"reasoning_tokens": 40, "image_tokens": 1120}
    counts = Candidates(shows=True).usage(usage)["usageMetadata"]
    assert isinstance(counts, dict)
    assert counts["promptTokensDetails"] == details(TEXT=640, AUDIO=2, IMAGE=258)
    assert counts["candidatesTokensDetails"] == details(TEXT=80, IMAGE=1120)
