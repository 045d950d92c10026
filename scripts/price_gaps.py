"""Rows of vendors that the first source lacks, taken from the second one.

It says neither what a model can do nor of what kind it is: the capabilities stay unknown, and only
rows are taken whose id and prices are those of a model that chats.
"""

import re

from price_list import STEP_PRICES
from price_witness import Row, Witness, first_price, in_force

TAKEN = {"openrouter": "openrouter"}  # the catalogue's name -> theirs
TERMS = {  # our word -> theirs, USD per million tokens
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
}
# Prices of batches are not those of requests, and who draws bills more than tokens of text.
NOT_CHAT = re.compile(r":batch$|-image(-|$)|banana")
FREE = {"input": 0, "output": 0}


def gaps(providers: dict[str, dict[str, Row]], witness: Witness) -> dict[str, dict[str, Row]]:
    """Return the rows of the vendors in TAKEN that are missing, by vendor and model id."""
    found = {ours: rows(witness, theirs) for ours, theirs in TAKEN.items() if ours not in providers}
    return {provider: models for provider, models in found.items() if models}


def rows(witness: Witness, theirs: str) -> dict[str, Row]:
    """Return the second source's chat models of one vendor whose prices it knows."""
    known = (facts(row, witness) for row in witness.models.get(theirs, ()) if chats(row))
    return {row["id"]: row for row in known if "input" in row and "output" in row}


def chats(row: Row) -> bool:
    """Say whether a row is a model that can be called by its id.

    Ids without a maker, and rows with neither a name nor a window, are left from an older list.
    """
    is_current = "name" in row or "context_window" in row
    return is_current and "/" in row["id"] and not NOT_CHAT.search(row["id"])


def facts(row: Row, witness: Witness) -> Row:
    """Return one row of the catalogue; what is unknown is left out."""
    terms = next(iter(in_force(row["prices"], witness.day)), {})
    found = {word: first_price(terms.get(theirs)) for word, theirs in TERMS.items()}
    known: Row = {
        "id": row["id"],
        "mode": "chat",
        **(FREE if row["id"].endswith(":free") else found),
        "steps": steps(terms) or None,
        "context": row.get("context_window"),
    }
    return {word: value for word, value in known.items() if value is not None}


def steps(terms: Row) -> list[Row]:
    """Return the prices that replace the first ones above a number of prompt tokens, ascending."""
    found: dict[int, Row] = {}
    for word in STEP_PRICES:
        price = terms.get(TERMS[word])
        for tier in price["tiers"] if isinstance(price, dict) else ():
            found.setdefault(tier["start"], {})[word] = first_price(tier["price"])
    return [{"above": above} | found[above] for above in sorted(found) if "input" in found[above]]
