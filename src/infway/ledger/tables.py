"""The ledger's tables, step by step; the SQL is SQLite's, and the database room knows Postgres'."""

from infway.database import Step
from infway.ledger.takeover import count_old_rows

_COUNTERS = """
    rows INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL,
    estimated INTEGER NOT NULL, unpriced INTEGER NOT NULL
    """

# Steps that were published are never changed; a new one is added at the end.
STEPS: tuple[Step, ...] = (
    """
    CREATE TABLE entries (
        request TEXT NOT NULL, attempt INTEGER NOT NULL, at REAL NOT NULL,
        key TEXT NOT NULL, model TEXT NOT NULL, upstream TEXT NOT NULL,
        outcome TEXT NOT NULL, status INTEGER NOT NULL, stream INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
        cost INTEGER NOT NULL, estimated INTEGER NOT NULL, priced INTEGER NOT NULL,
        start_ms INTEGER, end_ms INTEGER NOT NULL,
        PRIMARY KEY (request, attempt)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX entries_at ON entries (at)",
    "ALTER TABLE entries ADD COLUMN rescue TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE entries ADD COLUMN organisation TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE entries ADD COLUMN project TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE entries ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE entries ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE entries ADD COLUMN native TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE entries ADD COLUMN boot TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE entries ADD COLUMN monotonic REAL NOT NULL DEFAULT 0",
    """
    CREATE TABLE dimensions (
        id INTEGER PRIMARY KEY, attempts INTEGER NOT NULL, organisation TEXT NOT NULL,
        project TEXT NOT NULL, key TEXT NOT NULL, model TEXT NOT NULL, upstream TEXT NOT NULL,
        outcome TEXT NOT NULL, tags TEXT NOT NULL,
        UNIQUE (attempts, organisation, project, key, model, upstream, outcome, tags)
    ) STRICT
    """,
    """
    CREATE TABLE dimension_tags (
        dimension INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (dimension, tag)
    ) STRICT, WITHOUT ROWID
    """,
    f"""
    CREATE TABLE hours (
        hour INTEGER NOT NULL, dimension INTEGER NOT NULL, {_COUNTERS},
        PRIMARY KEY (hour, dimension)
    ) STRICT, WITHOUT ROWID
    """,
    f"""
    CREATE TABLE days (
        dimension INTEGER NOT NULL, day INTEGER NOT NULL, {_COUNTERS},
        PRIMARY KEY (dimension, day)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE spent (
        holder TEXT NOT NULL, period TEXT NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL,
        PRIMARY KEY (holder, period)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE grants (
        holder TEXT NOT NULL, period TEXT NOT NULL, owner TEXT NOT NULL,
        amount INTEGER NOT NULL CHECK (amount >= 0), expires REAL NOT NULL,
        PRIMARY KEY (holder, period, owner)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX grants_owner ON grants (owner)",
    """
    CREATE TABLE contents (
        request TEXT PRIMARY KEY, key TEXT NOT NULL, at REAL NOT NULL,
        asked BLOB NOT NULL, asked_size INTEGER NOT NULL,
        answered BLOB NOT NULL, answered_size INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX contents_at ON contents (at)",
    count_old_rows,
    """
    CREATE TABLE journals (
        owner TEXT PRIMARY KEY, since REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE forgotten (
        owner TEXT NOT NULL, request TEXT NOT NULL, attempt INTEGER NOT NULL, at REAL NOT NULL,
        PRIMARY KEY (owner, request, attempt)
    ) STRICT, WITHOUT ROWID
    """,
)
