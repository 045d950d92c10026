"""Contents that wait for their database: kept in order, and the oldest lost where too many wait."""

from pathlib import Path

from infway.accounts.keys import Keyring
from infway.api.transcripts import Transcripts
from infway.database.sqlite import SqliteDatabase
from infway.kernel.clock import system_clock
from infway.ledger.contents import Content, Contents

MIB = 2**20


def content(number: int, size: int = 1) -> Content:
    return Content(f"r-{number}", "key", float(number), b"a" * size, size, b"", 0)


async def kept(database: SqliteDatabase) -> list[str]:
    return [name for (name,) in database.read("SELECT request FROM contents ORDER BY at")]


async def test_they_wait_where_the_database_is_away_and_none_is_lost(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "ledger.db")
    transcripts = Transcripts(Contents(database), lambda: Keyring([]), system_clock())
    for number in range(100):
        transcripts.put(content(number))
    await transcripts.flush()  # nothing is open yet
    transcripts.put(content(100))
    database.open()
    Contents(database).open()
    await transcripts.flush()
    assert await kept(database) == [f"r-{number}" for number in range(101)]
    database.close()


async def test_the_oldest_make_room_where_too_many_wait(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "ledger.db")
    transcripts = Transcripts(Contents(database), lambda: Keyring([]), system_clock())
    for number in range(70):
        transcripts.put(content(number, MIB))
    database.open()
    Contents(database).open()
    await transcripts.flush()
    assert await kept(database) == [f"r-{number}" for number in range(6, 70)]
    for number in range(70, 134):  # there is as much room as before
        transcripts.put(content(number, MIB))
    await transcripts.flush()
    assert len(await kept(database)) == 128
    database.close()


async def test_what_is_left_at_the_end_is_written(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "ledger.db")
    database.open()
    Contents(database).open()
    transcripts = Transcripts(Contents(database), lambda: Keyring([]), system_clock())
    async with transcripts.open():
        transcripts.put(content(1))
    assert await kept(database) == ["r-1"]
    database.close()
