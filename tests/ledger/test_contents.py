"""What was asked and answered: kept once, forgotten in time."""

from infway.database import Database
from infway.ledger.contents import Content, Contents


def test_contents_are_kept_once_and_forgotten_by_age(database: Database):
    contents = Contents(database)
    contents.open()
    first = Content("r-1", "key", 1.0, b"asked", 5, b"said", 4)
    contents.write(
        [first, first._replace(request="r-2", at=2.0, answered=b"\0\xff", answered_size=2)]
    )
    contents.write([first._replace(asked=b"other")])
    assert contents.find("r-1") == first
    assert contents.find("r-2") == Content("r-2", "key", 2.0, b"asked", 5, b"\0\xff", 2)
    assert contents.find("r-3") is None
    assert contents.sweep(2.0, 10) == 1
    assert contents.find("r-1") is None
    assert contents.sweep(9.0, 0) == 0
    assert contents.sweep(9.0, 10) == 1
