"""Which provider's export a file is, by its shape; and what it says."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal

from infway.ledger.exports import anthropic, openai, openrouter
from infway.ledger.exports.words import Export, ExportError, is_list, is_tree, trees

_Table = list[dict[str, str]]
_Buckets = list[dict[str, object]]
_UNKNOWN = (
    "this is no export of OpenAI's usage or costs, Anthropic's usage or costs,"
    " or OpenRouter's activity"
)
# A key of the buckets, and who writes such
_BUCKETS: tuple[tuple[str, Callable[[_Buckets], Export]], ...] = (
    ("start_time", openai.read_buckets),
    ("starting_at", anthropic.read_buckets),
    ("date", openrouter.read_days),
)
# Columns of a CSV, and who writes such
_COLUMNS: tuple[tuple[frozenset[str], Callable[[_Table], Export]], ...] = (
    (frozenset({"start_time", "end_time", "num_model_requests"}), openai.read_rows),
    (frozenset({"start_time", "end_time", "amount_value"}), openai.read_rows),
    (frozenset({"usage_date_utc", "model_version", "usage_output_tokens"}), anthropic.read_rows),
    (frozenset({"created_at", "model_permaslug", "cost_total"}), openrouter.read_rows),
    (frozenset({"date", "model", "usage", "requests"}), openrouter.read_days),
)


def read_export(data: bytes) -> Export:
    """Return what a file says; raises ExportError, and nothing else, whatever it holds."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExportError("this is no text") from error
    start = text.lstrip()[:1]
    if not start:
        raise ExportError("the file is empty")
    return _of_json(text) if start in "{[" else _of_csv(text)


def _of_json(text: str) -> Export:
    pages = [page for value in _values(text) for page in _pages(value)]
    if not pages:
        raise ExportError(_UNKNOWN)
    buckets = [bucket for page, _ in pages for bucket in page]
    if any(more and not page for page, more in pages):
        raise ExportError("a page has nothing in it and says that there are more (`has_more`)")
    if not buckets:
        return Export("", (), ())
    read = _reader(buckets)
    cut = (read(page).spans for page, more in pages if more)
    return read(buckets)._replace(more=tuple(max(end for _, end in spans) for spans in cut))


def _pages(value: object) -> list[tuple[_Buckets, bool]]:
    """Return the buckets of a page, of a list of pages, or of a list of buckets; and whether more follow."""
    if is_list(value):
        return [page for one in value for page in _pages(one)]
    if not is_tree(value):
        raise ExportError(_UNKNOWN)
    if "data" in value:
        return [(trees(value, "data"), value.get("has_more") is True)]
    return [([value], False)]


def _reader(buckets: _Buckets) -> Callable[[_Buckets], Export]:
    """Return what reads buckets of one kind, of which there is at least one."""
    for name, read in _BUCKETS:
        if name in buckets[0]:
            if not all(name in bucket for bucket in buckets):
                raise ExportError("the file mixes exports of several kinds")
            return read
    raise ExportError(_UNKNOWN)


def _values(text: str) -> list[object]:
    """Return the JSON of a file: one value, or one in each line."""
    try:
        return [_parsed(text)]
    except ValueError as whole:
        try:
            return [_parsed(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise ExportError(f"the JSON is broken: {whole}") from whole
    except RecursionError as error:
        raise ExportError("the JSON is too deep") from error


def _parsed(text: str) -> object:
    value: object = json.loads(text, parse_float=Decimal, parse_constant=_refused)
    return value


def _refused(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _of_csv(text: str) -> Export:
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    try:
        found = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
        columns = [name.strip() for name in found.fieldnames or ()]
        found.fieldnames = columns
        lines = [dict[object, object](line) for line in found]
    except csv.Error as error:
        raise ExportError(f"the CSV is broken: {error}") from error
    if any(None in line or None in line.values() for line in lines):
        raise ExportError("the CSV is broken: its lines are of different lengths")
    table = [{str(name): str(cell) for name, cell in line.items()} for line in lines]
    for known, read in _COLUMNS:
        if known <= set(columns):
            return read(table)
    raise ExportError(_UNKNOWN)
