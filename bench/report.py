"""The results as a table for people and as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.figures import FIGURES, Figure

Machine = Mapping[str, str | int | float | bool | None]


def table(values: Mapping[str, float], only: bool) -> str:
    """A markdown table; a missed budget is marked. With `only`, just the figures measured."""
    rows = [("figure", "measured", "budget", "")]
    rows += [_row(figure, values) for figure in FIGURES if not only or figure.key in values]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [_line(row, widths) for row in rows]
    rule = [f"{'-' * (width - 1)}:" if width else "-" for width in widths[1:3]]
    lines.insert(1, f"| {'-' * widths[0]} | {rule[0]} | {rule[1]} | {'-' * max(3, widths[3])} |")
    return "\n".join(lines)


def document(values: Mapping[str, float], notes: Sequence[str], machine: Machine) -> str:
    """latest.md: the machine, the table, the remarks."""
    versions = ", ".join(f"{name} {value}" for name, value in machine.items())
    remarks = "\n".join(f"- {note}" for note in notes)
    return f"{table(values, only=False)}\n\n{remarks}\n\nMachine: {versions}.\n"


def write(
    folder: Path, values: Mapping[str, float], notes: Sequence[str], machine: Machine
) -> None:
    """Writes latest.json (null for a figure that could not be measured) and latest.md."""
    numbers = {
        figure.key: round(values[figure.key], 3) if figure.key in values else None
        for figure in FIGURES
    }
    text = json.dumps({**numbers, "machine": dict(machine)}, indent=2)
    (folder / "latest.json").write_text(text + "\n")
    (folder / "latest.md").write_text(document(values, notes, machine))


def _row(figure: Figure, values: Mapping[str, float]) -> tuple[str, str, str, str]:
    value, budget = values.get(figure.key), figure.budget
    missed = value is not None and budget is not None and value > budget
    return (
        figure.title,
        "not measured" if value is None else _number(value, figure.unit),
        "" if budget is None else f"<= {budget:g} {figure.unit}".rstrip(),
        "missed" if missed else "",
    )


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}".rstrip()


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    title, value, budget, mark = row
    return (
        f"| {title:<{widths[0]}} | {value:>{widths[1]}} | {budget:>{widths[2]}} "
        f"| {mark:<{max(3, widths[3])}} |"
    )
