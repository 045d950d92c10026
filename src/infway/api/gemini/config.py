"""`generationConfig` as fields of a chat: `providers/gemini/config.py`, backwards."""

from collections.abc import Mapping

from infway.api.gemini.body import GenerationConfig, ThinkingConfig
from infway.api.gemini.notes import Notes
from infway.api.gemini.schemas import json_schema
from infway.kernel.errors import CallerError

_PATH = "generationConfig"
_PLAIN: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_output_tokens": "max_tokens",
    "stop_sequences": "stop",
    "seed": "seed",
    "candidate_count": "n",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
_LEVELS = frozenset({"minimal", "low", "medium", "high"})
_MODALITIES: Mapping[str, str] = {"TEXT": "text", "IMAGE": "image"}
# What a type of the answer means: JSON or not; any other type has no word in chats
_FORMS: Mapping[str, bool] = {"": False, "text/plain": False, "application/json": True}


def config_fields(
    config: GenerationConfig, said: Mapping[str, object], notes: Notes
) -> dict[str, object]:
    """Return the fields; `said`: the configuration as it was sent.

    Raises CallerError for words that Google does not know.
    """
    fields: dict[str, object] = {
        name: value
        for field, name in _PLAIN.items()
        if (value := getattr(config, field)) not in (None, [])
    }
    if config.top_k is not None:
        whole = config.top_k.is_integer()
        fields["top_k"] = int(config.top_k) if whole else config.top_k
    _add_logprobs(fields, config)
    _add_form(fields, config, notes)
    _add_modalities(fields, config, said, notes)
    if config.thinking_config is not None:
        fields |= _thinking(config.thinking_config)
    known = {*GenerationConfig.__struct_encode_fields__, "speechConfig"}
    notes.lose_others(_PATH, said, known)
    return fields


def _add_logprobs(fields: dict[str, object], config: GenerationConfig) -> None:
    if config.response_logprobs:
        fields["logprobs"] = True
        if config.logprobs:
            fields["top_logprobs"] = config.logprobs


def _add_form(fields: dict[str, object], config: GenerationConfig, notes: Notes) -> None:
    kind = (config.response_mime_type or "").lower()
    schema = config.response_json_schema
    if schema is None and config.response_schema is not None:
        schema = json_schema(config.response_schema)
    if kind not in _FORMS:
        notes.need(f"{_PATH}.responseMimeType")
    elif schema is not None:
        form = {"name": "answer", "schema": schema}
        fields["response_format"] = {"type": "json_schema", "json_schema": form}
    elif _FORMS[kind]:
        fields["response_format"] = {"type": "json_object"}


def _add_modalities(
    fields: dict[str, object],
    config: GenerationConfig,
    said: Mapping[str, object],
    notes: Notes,
) -> None:
    """Add of what kind the answer is; text alone needs no word."""
    kinds = [kind.upper() for kind in config.response_modalities or ()]
    if any(kind not in _MODALITIES for kind in kinds):
        notes.need(f"{_PATH}.responseModalities")
    elif "IMAGE" in kinds:
        fields["modalities"] = [_MODALITIES[kind] for kind in kinds]
    if said.get("speechConfig") is not None:
        notes.lose(f"{_PATH}.speechConfig")


def _thinking(config: ThinkingConfig) -> dict[str, object]:
    """Return how much the model shall reason. Whether its thoughts are shown, the reply knows."""
    level = (config.thinking_level or "").lower().removeprefix("thinking_level_")
    path = f"{_PATH}.thinkingConfig.thinkingLevel"
    if level in _LEVELS:
        return {"reasoning_effort": level}
    if level not in ("", "unspecified"):
        message = f"{path}: must be MINIMAL, LOW, MEDIUM or HIGH."
        raise CallerError(400, "invalid_field", message, path)
    if config.thinking_budget == 0:
        return {"reasoning_effort": "none"}
    if config.thinking_budget is not None and config.thinking_budget > 0:
        return {"reasoning": {"max_tokens": config.thinking_budget}}
    wanted = config.thinking_budget == -1 or config.include_thoughts
    return {"reasoning": {"enabled": True}} if wanted else {}
