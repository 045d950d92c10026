"""What words of plans, keys and holders may be."""

import pytest
from pydantic import ValidationError

from infway.accounts.terms import KeyTerms, PlanTerms


@pytest.mark.parametrize("word", ["a\0b", "\0", "a\nb", "\x1b[31m", "\x7f", "\u2028", "\ud800"])
@pytest.mark.parametrize("field", ["tags", "models", "upstreams", "unpriced"])
def test_no_word_of_a_key_has_characters_that_a_database_or_a_log_cannot_hold(
    field: str, word: str
) -> None:
    with pytest.raises(ValidationError, match=r"no control characters|unicode string"):
        KeyTerms.model_validate({field: ["sound", word]})


def test_no_model_of_a_plan_has_control_characters() -> None:
    with pytest.raises(ValidationError, match="no control characters"):
        PlanTerms(models=("a\0b",))


@pytest.mark.parametrize("word", ["a b", "ü日本", "👍🏽", "a/b:c@1", "👨\u200d👩\u200d👧"])
def test_words_of_any_language_are_kept_as_they_are(word: str) -> None:
    assert KeyTerms(tags=(word,), models=(word,)).tags == (word,)
