"""What is wrong with a field, in a sentence: pydantic's findings in the words of infway."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from infway.accounts.terms import NAME
from infway.kernel.errors import CallerError

NAMES = (
    "must be 1 to 64 letters, digits, dots, dashes, underscores or @,"
    " the first of them a letter or digit."
)
BEYOND = "is no moment before the year 10000."
_PATTERNS: Mapping[str, str] = {NAME: NAMES}
_NUMBER, _LIST, _SWITCH = "must be a number", "must be a list", "must be true or false"
_TREE, _WHOLE, _TEXT = "must be an object", "must be a whole number", "must be text"
_MOMENT = "must be a date and time with a time zone, like 2027-01-31T00:00:00Z, or Unix seconds"
# By the type of the finding: https://docs.pydantic.dev/latest/errors/validation_errors/
_WORDS: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "there is no such field",
    "string_type": _TEXT,
    "string_pattern_mismatch": "has characters that it cannot have",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _TREE,
    "model_type": _TREE,
    "model_attributes_type": _TREE,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "is_instance_of": _NUMBER,  # of a decimal, where no type is taken for another
    "decimal_parsing": _NUMBER,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "timezone_aware": _MOMENT,
}
_AFTER = "dates after 9999"  # where pydantic says of a number that it is no moment
_SHOULD = re.compile(r"^\w+( input)? should ")


def fault_of(finding: Mapping[str, Any], place: Collection[str | int]) -> CallerError:
    """Return the error for one of pydantic's findings. `place`: the steps that lead to the field."""
    path = path_of(place)
    if not path:
        return CallerError(400, "invalid_request_body", "The body must be a JSON object.")
    kind, context = finding["type"], finding.get("ctx", {})
    said = _PATTERNS.get(context.get("pattern", "")) or _WORDS.get(kind) or _told(finding["msg"])
    if kind == "datetime_parsing" and _AFTER in finding["msg"]:
        said = BEYOND
    if finding.get("input") is None and kind not in ("missing", "extra_forbidden"):
        said = f"{said.removesuffix('.')}, not null"
    return wrong(path, f"{said.removesuffix('.')}.")


def path_of(steps: Collection[str | int]) -> str:
    """Return a path as people write it: `budgets[0].usd`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def wrong(path: str, why: str) -> CallerError:
    """Return the error that a field cannot be as it is."""
    return CallerError(400, "invalid_field", f"{path}: {why}", path)


def _told(message: str) -> str:
    """Return pydantic's own words, as far as they are for people: `must be less than 5`."""
    return _SHOULD.sub("must ", message).replace(" after validation", "")
