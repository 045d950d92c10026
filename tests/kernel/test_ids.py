"""Ids never repeat, in one process and between two."""

from hypothesis import given
from hypothesis import strategies as st

from infway.kernel.ids import Ids, base36


@given(st.integers(0, 2**70))
def test_base36_is_read_back_by_python(number: int):
    assert int(base36(number), 36) == number


def test_ids_of_one_process_and_of_another_are_all_different():
    ours, theirs = Ids(2**64 - 1), Ids(2**64 - 2)
    made = [source.next() for _ in range(1000) for source in (ours, theirs)]
    assert len(set(made)) == len(made)
    assert all(part.isalnum() for one in made for part in one.split("-"))
