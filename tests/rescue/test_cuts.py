"""The short form of `python -m tests.rescue`."""

from pathlib import Path

from tests.rescue.count import count_cuts


async def test_no_caller_gets_a_wrong_text_wherever_an_answer_breaks_off(tmp_path: Path) -> None:
    count = await count_cuts(150, 24, tmp_path)
    assert count.wrong == []
    assert count.finished > count.broke / 2
