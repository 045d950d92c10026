"""Every row of the fault matrix, played; and none is left out."""

import ast
import importlib
from pathlib import Path

import pytest
from tests.wall import matrix
from tests.wall.matrix import TITLES, Case, Stage
from tests.wall.matrix.case import PLAYED, Play
from tests.wall.matrix.play import play

ROOT = Path(__file__).parents[2]
ROWS = [*range(1, 73), *range(76, 82)]
MODULES = [
    importlib.import_module(f"tests.wall.matrix.{path.stem}")
    for path in sorted(Path(matrix.__file__).parent.glob("rows_*.py"))
]
CASES = [case for module in MODULES for case in getattr(module, "CASES", ())]
ELSEWHERE = [row for module in MODULES for row in getattr(module, "ELSEWHERE", {}).items()]


def _named(case: Case, stream: bool) -> str:
    way = "stream" if stream else "whole"
    return f"{case.row}-{'+'.join(case.offers)}-{way}".replace("\n", "")


@pytest.mark.parametrize(
    ("case", "stream"),
    [pytest.param(c, way, id=_named(c, way)) for c in CASES for way in c.ways],
)
async def test_a_fault_has_exactly_these_consequences(
    case: Case, stream: bool, stage: Stage
) -> None:
    await play(case, stage, stream=stream)


@pytest.mark.parametrize(
    "played",
    [
        pytest.param(one, id=f"{row}-{one.__name__}")
        for row, plays in sorted(PLAYED.items())
        for one in plays
    ],
)
async def test_a_fault_plays_out_as_written(played: Play, stage: Stage) -> None:
    await played(stage)


def test_every_row_has_a_title() -> None:
    assert list(TITLES) == ROWS


COVERED = {case.row for case in CASES} | set(PLAYED) | {row for row, _ in ELSEWHERE}


def test_no_row_lacks_a_case() -> None:
    assert set(ROWS) >= COVERED
    assert [TITLES[row] for row in ROWS if row not in COVERED] == []


@pytest.mark.parametrize(("row", "names"), ELSEWHERE)
def test_what_covers_a_row_elsewhere_is_there(row: int, names: tuple[str, ...]) -> None:
    for name in names:
        path, _, function = name.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        defined = [getattr(node, "name", None) for node in ast.walk(tree)]
        assert function in defined, (row, name)
