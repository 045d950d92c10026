"""Tables for a terminal: aligned columns, numbers to the right."""

from collections.abc import Iterable, Sequence


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
