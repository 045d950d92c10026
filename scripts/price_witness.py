"""Reads the prices that the genai-prices wheel carries, as a second source for the catalogue.

The wheel's data file is a Python literal of constructor calls: it is parsed, never imported.
"""

import ast
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

DATA = "genai_prices/data.py"
Row = dict[str, Any]  # one constructor call: its keyword arguments, and its name under "is"
Pair = tuple[int | None, int | None]  # input and output, in 10^-12 USD per token

PROVIDERS = {  # the catalogue's name -> theirs
    "anthropic": "anthropic",
    "azure": "azure",
    "baseten": "baseten",
    "bedrock": "aws",
    "bigmodel": "zhipuai",
    "cerebras": "cerebras",
    "cloudflare": "cloudflare",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "databricks": "databricks",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "github_copilot": "github-copilot",
    "groq": "groq",
    "meta": "meta",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "novita": "novita",
    "openai": "openai",
    "ovhcloud": "ovhcloud",
    "perplexity": "perplexity",
    "together_ai": "together",
    "vertex_ai": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
    "zai": "zai",
}

CLAUSES: dict[str, Callable[[Row, str], bool]] = {  # whether a clause matches a lower-case id
    "ClauseEquals": lambda clause, text: text == clause["equals"].lower(),
    "ClauseStartsWith": lambda clause, text: text.startswith(clause["starts_with"].lower()),
    "ClauseEndsWith": lambda clause, text: text.endswith(clause["ends_with"].lower()),
    "ClauseContains": lambda clause, text: clause["contains"].lower() in text,
    "ClauseRegex": lambda clause, text: re.search(clause["regex"], text) is not None,
    "ClauseOr": lambda clause, text: any(matches(part, text) for part in clause["or_"]),
    "ClauseAnd": lambda clause, text: all(matches(part, text) for part in clause["and_"]),
}


@dataclass(frozen=True)
class Witness:
    """The second source: its version, and its models by its own provider names."""

    version: str
    models: dict[str, list[Row]]
    day: date

    @classmethod
    def open(cls, wheel: Path, day: date) -> "Witness":
        """Read the data out of the wheel; prices are those in force on the day."""
        with zipfile.ZipFile(wheel) as archive:
            tree = ast.parse(archive.read(DATA).decode())
            version = wheel_version(archive)
        table = next(
            node.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == "providers"
            and node.value is not None
        )
        return cls(version, {p["id"]: p["models"] for p in plain(table)}, day)

    def prices(self, provider: str, model: str) -> list[Pair]:
        """Return the prices the source knows for a model: several where the hour decides."""
        text = model.lower()
        for row in self.models.get(PROVIDERS.get(provider, ""), ()):
            if matches(row["match"], text):
                return [pair(terms) for terms in in_force(row["prices"], self.day)]
        return []


def wheel_version(archive: zipfile.ZipFile) -> str:
    """Return the version that the wheel's own metadata states."""
    name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
    return str(HeaderParser().parsestr(archive.read(name).decode())["Version"])


def plain(node: ast.expr) -> Any:
    """Return constructor calls as dictionaries, and every other literal as itself."""
    if isinstance(node, ast.List):
        return [plain(item) for item in node.elts]
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    name = ast.unparse(node.func)
    if name == "Decimal":
        return Decimal(ast.literal_eval(node.args[0]))
    if name == "datetime.date":
        return date(*(ast.literal_eval(part) for part in node.args))
    if name == "datetime.time":
        return None  # the hour is not compared
    return {"is": name, **{k.arg or "": plain(k.value) for k in node.keywords}}


def matches(clause: Row, text: str) -> bool:
    """Say whether a clause matches a lower-case model id."""
    return CLAUSES[clause["is"]](clause, text)


def in_force(prices: Row | list[Row], day: date) -> list[Row]:
    """Return the last terms that have begun by the day, and those of certain hours after them."""
    if isinstance(prices, dict):
        return [prices]
    terms: list[Row] = []
    for row in prices:
        constraint = row.get("constraint") or {}
        if constraint.get("is") == "TimeOfDateConstraint":
            terms.append(row["prices"])
        elif constraint.get("start_date", day) <= day:
            terms = [row["prices"]]
    return terms


def pair(terms: Row) -> Pair:
    """Return input and output prices, from USD per million tokens."""
    return first_price(terms.get("input_mtok")), first_price(terms.get("output_mtok"))


def first_price(price: Row | Decimal | None) -> int | None:
    """Return 10^-12 USD per token; of tiered prices the one that holds from the first token."""
    usd = price["base"] if isinstance(price, dict) else price
    return None if usd is None else int(usd.scaleb(6))
