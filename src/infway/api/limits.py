"""The limit of an answer has several names, and they must not say different things.

infway reckons with one limit; the others would be passed on, to servers that may heed them. OpenAI
refuses `max_tokens` beside `max_completion_tokens`; where both are the same there is no doubt.
"""

from collections.abc import Mapping

from infway.kernel.errors import CallerError
from infway.providers.shapes import value_of

LIMITS = frozenset(
    {
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",  # of OpenAI's Responses
        "n_predict",  # of llama.cpp, where it goes before the others
        "num_predict",  # of Ollama
        "max_new_tokens",  # of Hugging Face
        "max_gen_len",  # of Meta's own servers
        "max_tokens_to_sample",  # of Anthropic's text completions
    }
)


def check_limits(fields: Mapping[str, object], limit: int | None) -> None:
    """Raise CallerError where a limit differs from the one that is reckoned with.

    Null is no limit. Without one to reckon with it is the model's own, which nothing goes beyond.
    """
    if limit is None:
        return
    for name in sorted(LIMITS & fields.keys()):
        if value_of(fields[name]) not in (None, limit):
            message = f"{name}: must not differ from the other limit of the answer, {limit}."
            raise CallerError(400, "invalid_field", message, name)
