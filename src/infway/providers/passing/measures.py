"""What work is measured in: as the upstream said, or else as the request tells."""

from collections.abc import Mapping

from infway.kernel.chat import ChatRequest, Feature, Offer
from infway.kernel.events import Units, Usage
from infway.kernel.work import WORKS, Trade
from infway.providers.passing.sounds import length_spoken, milliseconds
from infway.providers.shapes import NOTHING, as_count, as_list, as_object

_MOST = 10**9  # of anything in one reply: more than that is a mistake, and no number to bill
_A_SEARCH = 100  # documents: https://cohere.com/pricing, "search unit"
_PICTURES = WORKS[Trade.IMAGE]
_SOUNDS = WORKS[Trade.TRANSCRIPTION]


def guess(ask: ChatRequest, offer: Offer) -> Usage:
    """Return what a request will be measured in, as long as the upstream has said nothing.

    Characters of speech are counted and no guess, where they are what is paid.
    """
    tokens = ask.input_tokens
    units, counted = Units(), False
    if Feature.RERANK in ask.features:
        units = Units(queries=-(-len(as_list(ask.fields.get("documents"))) // _A_SEARCH))
    elif ask.features & _PICTURES:
        units = Units(images=as_count(ask.fields.get("n")) or 1)
    elif Feature.SPEECH in ask.features:
        chars = ask.input_chars
        units = Units(characters=chars, milliseconds=length_spoken(chars))
        counted = offer.prices.character is not None
    elif ask.features & _SOUNDS and ask.form is not None:
        heard = ask.form.heard
        units = Units(milliseconds=heard.milliseconds)
        counted = not heard.guessed
    spoken = tokens if ask.features & _SOUNDS else 0
    return Usage(tokens, 0, tokens, audio_input=spoken, estimated=not counted, units=units)


def said(usage: object, ask: ChatRequest) -> Usage | None:
    """Return what an upstream's usage object says, in the words of OpenAI, None where nothing.

    https://platform.openai.com/docs/api-reference/images and .../audio: `input_tokens`,
    `output_tokens` with details, or `seconds`. Others call them as in chats.
    """
    told = as_object(usage)
    lasted = milliseconds(told.get("seconds"))
    if lasted is not None:
        return Usage(0, 0, 0, units=Units(milliseconds=lasted))
    prompt = _count(told, "input_tokens", "prompt_tokens")
    completion = _count(told, "output_tokens", "completion_tokens")
    if not (prompt or completion):
        prompt = _count(told, "total_tokens")
    if not (prompt or completion):
        return None
    read = _details(told, "input_tokens_details", "input_token_details", "prompt_tokens_details")
    made = _details(told, "output_tokens_details", "completion_tokens_details")
    drawn = completion if ask.features & _PICTURES and not made else _count(made, "image_tokens")
    return Usage(
        prompt,
        completion,
        prompt + completion,
        cached=_count(read, "cached_tokens"),
        audio_input=_count(read, "audio_tokens"),
        audio_output=completion if Feature.SPEECH in ask.features else 0,
        units=Units(image_input=_count(read, "image_tokens"), image_output=drawn),
    )


def _count(told: Mapping[str, object], *names: str) -> int:
    return next((min(n, _MOST) for n in (as_count(told.get(name)) for name in names) if n), 0)


def _details(told: Mapping[str, object], *names: str) -> Mapping[str, object]:
    return next(filter(None, (as_object(told.get(name)) for name in names)), NOTHING)
