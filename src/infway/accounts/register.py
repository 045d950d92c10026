"""The register in the database: entries, and a row of the audit for every change of one.

All changes are numbered, one after another: whoever has read up to a number asks for what came
after it. Used from background threads and the command line only.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from infway.accounts.capabilities import Actor
from infway.accounts.entries import TERMS, Entry, Kind, Secret, State, iso
from infway.accounts.terms import AnyTerms
from infway.database import Database, DatabaseError, Work
from infway.database.steps import see_version

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE account_entries (
        kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, organisation TEXT NOT NULL,
        state TEXT NOT NULL, terms TEXT NOT NULL, created REAL NOT NULL, expires REAL,
        secrets TEXT NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY (kind, id), UNIQUE (kind, name)
    ) STRICT
    """,
    "CREATE INDEX account_entries_version ON account_entries (version)",
    """
    CREATE TABLE account_audit (
        version INTEGER NOT NULL PRIMARY KEY, at REAL NOT NULL, actor TEXT NOT NULL,
        verb TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, organisation TEXT NOT NULL,
        before TEXT, after TEXT
    ) STRICT
    """,
    "CREATE TABLE account_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE account_changes (one INTEGER PRIMARY KEY, version INTEGER NOT NULL) STRICT",
    "INSERT INTO account_changes VALUES (1, 0)",
)
_COLUMNS = "kind, id, name, organisation, state, terms, created, expires, secrets, version"
_SELECT = f"SELECT {_COLUMNS} FROM account_entries WHERE "  # noqa: S608 - its own names
_PUT = (
    f"INSERT INTO account_entries ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)"  # noqa: S608 - its own names
    " ON CONFLICT (kind, id) DO UPDATE SET organisation = excluded.organisation,"
    " state = excluded.state, terms = excluded.terms, expires = excluded.expires,"
    " secrets = excluded.secrets, version = excluded.version"
)
NEWEST = 2**62
"""A number behind those of all changes."""

_AUDIT = "INSERT INTO account_audit VALUES (?,?,?,?,?,?,?,?,?)"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode
_secrets = msgspec.json.Decoder(list[tuple[str, float | None]]).decode


class Note(NamedTuple):
    """One row of the audit. `before`, `after`: views of the entry as JSON; None: there was none."""

    version: int
    at: float
    actor: str
    verb: str
    kind: str
    name: str
    organisation: str
    before: str | None
    after: str | None

    def view(self) -> dict[str, object]:
        """Return what people and the admin API see of it."""
        return {
            "change": self.version,
            "at": iso(self.at),
            "actor": self.actor,
            "verb": self.verb,
            "kind": self.kind,
            "name": self.name,
            "before": None if self.before is None else _decode(self.before),
            "after": None if self.after is None else _decode(self.after),
        }


class Register:
    """All entries of one database. Everything raises DatabaseError.

    `mark`: of the pepper that digests are made with; a database has one for good.
    """

    def __init__(self, database: Database, mark: str) -> None:
        self._database = database
        self._mark = mark
        self._is_open = False

    def open(self) -> None:
        """Make the tables where there are none; DatabaseError where the pepper is another one."""
        if self._is_open:
            return
        self._database.open()
        self._database.migrate("accounts", STEPS)
        with self._database.transaction() as work:
            work.run(
                "INSERT INTO account_facts VALUES ('pepper', ?) ON CONFLICT (name) DO NOTHING",
                (self._mark,),
            )
            known = work.run("SELECT value FROM account_facts WHERE name = 'pepper'")[0][0]
        if known != self._mark:
            raise DatabaseError(
                "the digests in the database were made with another pepper than `accounts.pepper`"
                " or the file `pepper` of the data folder: no key would be known"
            )
        self._is_open = True

    def close(self) -> None:
        """Close the database; it is opened again where it is needed."""
        self._is_open = False
        self._database.close()

    def changes(self, since: int) -> list[Entry]:
        """Return the entries that changed after a change, in order."""
        self.open()
        query = f"{_SELECT} version > ? ORDER BY version"
        return [_entry(row) for row in self._database.read(query, (since,))]

    def entries(
        self, kind: Kind, organisation: str | None, after: str = "", count: int = 2**31
    ) -> list[Entry]:
        """Return those of a kind, or of one organisation among them, behind a name; by name."""
        self.open()
        rows = self._database.read(
            f"{_SELECT} kind = ? AND name > ? AND (? = 1 OR organisation = ?)"
            " ORDER BY name LIMIT ?",
            (kind.value, after, int(organisation is None), organisation or "", count),
        )
        return [_entry(row) for row in rows]

    def entry(self, kind: Kind, ref: str) -> Entry | None:
        """Return an entry by its id or its name."""
        self.open()
        query = f"{_SELECT} kind = ? AND (id = ? OR name = ?)"
        return _first(self._database.read(query, (kind.value, ref, ref)), ref)

    def notes(self, organisation: str | None, before: int | None, count: int) -> list[Note]:
        """Return the newest rows of the audit before a change, the newest first."""
        self.open()
        found = self._database.read(
            "SELECT version, at, actor, verb, kind, name, organisation, before, after"
            " FROM account_audit WHERE version < ? AND (? = 1 OR organisation = ?)"
            " ORDER BY version DESC LIMIT ?",
            (
                NEWEST if before is None else before,
                int(organisation is None),
                organisation or "",
                count,
            ),
        )
        return [Note(*row) for row in found]

    @contextmanager
    def change(self, actor: Actor, at: float) -> Generator["Change", None, None]:
        """Change entries, one after another with whoever else does; all or none."""
        self.open()
        with self._database.transaction() as work:
            see_version(work, "accounts", STEPS)
            rows = work.run("SELECT version FROM account_changes WHERE one = 1 FOR UPDATE")
            version: int = rows[0][0]
            change = Change(work, actor, at, version)
            yield change
            values = (change.version, 1)
            work.run("UPDATE account_changes SET version = ? WHERE one = ?", values)


class Change:
    """A transaction of the register."""

    def __init__(self, work: Work, actor: Actor, at: float, version: int) -> None:
        self.actor = actor
        self.at = at
        self.version = version
        self._work = work

    def entry(self, kind: Kind, ref: str) -> Entry | None:
        """Return an entry by its id or its name."""
        query = f"{_SELECT} kind = ? AND (id = ? OR name = ?)"
        return _first(self._work.run(query, (kind.value, ref, ref)), ref)

    def named(self, kind: Kind, name: str) -> bool:
        """Tell whether there is, or ever was, an entry of this name."""
        query = "SELECT 1 FROM account_entries WHERE kind = ? AND name = ?"
        return bool(self._work.run(query, (kind.value, name)))

    def all(self, kind: Kind) -> list[Entry]:
        """Return all entries of a kind."""
        return [_entry(row) for row in self._work.run(f"{_SELECT} kind = ?", (kind.value,))]

    def put(self, verb: str, before: Entry | None, after: Entry) -> Entry:
        """Keep an entry as it is now, and note who made it so."""
        self.version += 1
        entry = replace(after, version=self.version)
        secrets = _encode([(one.digest.hex(), one.until) for one in entry.secrets]).decode()
        self._work.run(_PUT, (*_values(entry), secrets, entry.version))
        views = [None if one is None else _view(one, self.at) for one in (before, after)]
        subject = (entry.kind.value, entry.name, entry.organisation)
        self._work.run(_AUDIT, (self.version, self.at, self.actor.name, verb, *subject, *views))
        return entry


def _values(entry: Entry) -> tuple[str | float | None, ...]:
    terms = entry.terms.model_dump_json(exclude_unset=True)
    named = (entry.kind.value, entry.id, entry.name, entry.organisation, entry.state.value)
    return (*named, terms, entry.created, entry.expires)


def _view(entry: Entry, at: float) -> str:
    return _encode(entry.view(at)).decode()


def _first(rows: Sequence[tuple[Any, ...]], ref: str) -> Entry | None:
    """Return the entry with this id; of two, one of them with it as its name, the id counts."""
    found = [_entry(row) for row in rows]
    return next((one for one in found if one.id == ref), found[0] if found else None)


def _entry(row: tuple[Any, ...]) -> Entry:
    kind, id_, name, organisation, state, terms, created, expires, secrets, version = row
    known = Kind(kind)
    read: AnyTerms = TERMS[known].model_validate_json(terms)
    listed = tuple(Secret(bytes.fromhex(digest), until) for digest, until in _secrets(secrets))
    return Entry(
        known, id_, name, organisation, State(state), read, created, expires, listed, version
    )
