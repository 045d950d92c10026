"""The `generationConfig` of a Gemini request: sampling, limits, the form of the answer, thinking."""

from collections.abc import Mapping

from infway.providers.conversation.parts import Conversation, Effort, cannot_say
from infway.providers.gemini.models import SCALE, Budget, Levels, Traits
from infway.providers.shapes import as_list

_NAMES: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
_PENALTIES = frozenset({"presence_penalty", "frequency_penalty"})
_MODALITIES: Mapping[str, str] = {"text": "TEXT", "image": "IMAGE"}
_SHARES: Mapping[str, float] = {  # of the output limit, as OpenRouter shares it
    "minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95,
}  # fmt: skip
_PLACES: Mapping[str, int] = {  # on the scale of levels
    "none": 0, "minimal": 0, "low": 1, "medium": 2, "high": 3, "xhigh": 3, "max": 3,
}  # fmt: skip
_MOST_OUTPUT = 65536  # tokens, of Gemini 2.5 and of every model since


def generation_config(
    talk: Conversation, traits: Traits, max_output: int | None, *, vertex: bool
) -> dict[str, object]:
    """Return the configuration; what the model does not take is listed as dropped.

    `max_output`: the model's own limit, None where unknown.
    Raises UpstreamFailed(untranslatable) where the answer would be another one.
    """
    config = _plain(talk, _untaken(traits, vertex=vertex))
    if talk.max_tokens is not None:
        config["maxOutputTokens"] = talk.max_tokens
    stop = [one for one in talk.stop if one]
    if stop:
        config["stopSequences"] = stop
    _add_choices(config, talk, traits)
    _add_form(config, talk, traits)
    if talk.effort is not None:
        limit = talk.max_tokens or max_output or _MOST_OUTPUT
        _add_thinking(config, talk, traits.thinking, limit)
    return config


def _untaken(traits: Traits, *, vertex: bool) -> frozenset[str]:
    penalised = vertex if traits.penalised is None else traits.penalised
    sampling = frozenset[str]() if traits.sampled else _SAMPLING
    return sampling if penalised else sampling | _PENALTIES


def _plain(talk: Conversation, untaken: frozenset[str]) -> dict[str, object]:
    config: dict[str, object] = {}
    for name, native in _NAMES.items():
        value = talk.take(name)
        if name not in untaken:
            config |= {} if value is None else {native: value}
        elif value is not None and not (value == 0 and name in _PENALTIES):
            talk.drop(name)
    return config


def _add_choices(config: dict[str, object], talk: Conversation, traits: Traits) -> None:
    """Add how many answers are wanted, of what kind, and the probabilities of their tokens."""
    several = talk.take("n")
    if several not in (None, 1):
        if not traits.sampled:
            cannot_say("n", "this model gives one answer.")
        config["candidateCount"] = several
    wanted, top = talk.take("logprobs"), talk.take("top_logprobs")
    if wanted:
        config["responseLogprobs"] = True
        config |= {"logprobs": top} if top else {}
    elif top:
        talk.drop("top_logprobs")
    kinds = as_list(talk.take("modalities"))
    unknown = [kind for kind in kinds if kind not in _MODALITIES]
    if unknown:
        cannot_say("modalities", "the answer can be text and images.")
    if "image" in kinds:
        config["responseModalities"] = [_MODALITIES[str(kind)] for kind in kinds]


def _add_form(config: dict[str, object], talk: Conversation, traits: Traits) -> None:
    form = talk.format
    if form is None:
        return
    if (talk.tools or talk.others) and not traits.mixed:
        cannot_say("response_format", "this model gives no JSON where it has tools.")
    config["responseMimeType"] = "application/json"
    if form.schema is not None:
        config["responseJsonSchema"] = form.schema
    if form.description:
        talk.drop("response_format.json_schema.description")


def _add_thinking(
    config: dict[str, object], talk: Conversation, thinking: Levels | Budget | None, limit: int
) -> None:
    """Add how much the model shall think; its thoughts are wanted where any are."""
    wish = talk.effort or Effort()
    off = wish.level == "none" or wish.budget == 0
    match thinking:
        case None:
            said: dict[str, object] = {}
            follows = off
        case Levels():
            word = _level(wish, thinking.words, limit)
            said = {"thinkingLevel": word.upper()} if word else {}
            follows = not off
        case Budget():
            tokens = _budget(wish, thinking, limit)
            said = {} if tokens is None else {"thinkingBudget": tokens}
            follows = thinking.off or not off
    if not follows:
        talk.drop("reasoning_effort")
    if wish.budget and wish.budget != said.get("thinkingBudget"):
        talk.drop("reasoning.max_tokens")  # told as a level, or kept within the model's bounds
    if thinking is not None:
        config["thinkingConfig"] = said if off else {"includeThoughts": True, **said}


def _level(wish: Effort, words: tuple[str, ...], limit: int) -> str | None:
    """Return the word nearest to the wish, the lesser of two; None: as much as the model likes."""
    if wish.budget is not None:
        share = wish.budget / limit
        place = min(range(len(SCALE)), key=lambda one: abs(_SHARES[SCALE[one]] - share))
    elif wish.level is not None:
        place = _PLACES.get(wish.level, len(SCALE) - 1)
    else:
        return None
    return min(words, key=lambda word: abs(SCALE.index(word) - place))


def _budget(wish: Effort, bounds: Budget, limit: int) -> int | None:
    """Return tokens within the bounds; None: as many as the model likes."""
    if wish.level == "none" or wish.budget == 0:
        return 0 if bounds.off else bounds.least
    if wish.budget is None and wish.level is None:
        return None
    tokens = wish.budget or int(limit * _SHARES.get(wish.level or "", _SHARES["high"]))
    return min(max(tokens, bounds.least), bounds.most)
