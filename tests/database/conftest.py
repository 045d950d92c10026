"""Both databases, for every test of this room."""

from tests.database.fixtures import database, place, postgres

__all__ = ["database", "place", "postgres"]
