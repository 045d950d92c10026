"""Tables: for a terminal, with aligned columns and numbers to the right, and for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

_ACTIVE = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: frozenset[int]) -> str:
    """Return lines of text; `right` holds the columns whose cells are aligned to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def cell(text: str, column: int) -> str:
        width = widths[column]
        return text.rjust(width) if column in right else text.ljust(width)

    return "\n".join(
        "  ".join(cell(text, column) for column, text in enumerate(line)).rstrip() for line in lines
    )


def csv_text(head: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """Return CSV as RFC 4180 has it. Text that a spreadsheet would take for a formula has an apostrophe before it.

    Numbers of ours stay numbers, signs and all.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def json_text(value: object) -> str:
    """Return JSON for people, with exact decimals where `value` has them as raw JSON."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _safe(cell: str | int) -> str | int:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_ACTIVE) else cell
