"""The fault matrix as data: every row of it is one case or more, played against a real gateway.

`titles.py` lists the rows by number. A module named `rows_*.py` adds cases to them, in any of
three forms, and needs no other registration:

    CASES = [
        Case(25, ("status@500", "ok"), attempts=("one:http_500", "two:ok")),
        Case(31, ("status@404",), 502, "upstream_model_missing", attempts=("one:model_missing",)),
        Case(44, ("close@20~pause=1",), broken="upstream_disconnected", text=TEXT_OF[20], ...),
    ]

    @scripted(8)                        # whatever a table cannot say: a coroutine of a Stage
    async def a_dead_idle_connection_costs_no_attempt(stage: Stage) -> None:
        await stage.open("stale")       # a gateway before walls of these scripts
        heard = await stage.ask()       # a chat, heard by the client of tests/api/caller.py
        assert heard.status == 200 and stage.played("one") == 3

    ELSEWHERE = {69: ("tests/e2e/test_lifetime.py::test_that_covers_it",)}   # tests that exist

`Case` and its fields: case.py. `Stage`: stage.py. tests/wall/test_matrix.py plays all of them, each
`Case` as a stream and in one piece unless it says `stream=`, and fails where a row has no case.
Scripts are those of tests/wall; further places that an offer may stand at are in places.py.
"""

from tests.wall.matrix.case import Case, scripted
from tests.wall.matrix.stage import Stage
from tests.wall.matrix.titles import TITLES

__all__ = ["TITLES", "Case", "Stage", "scripted"]
