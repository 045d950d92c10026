"""Builds the packaged price catalogue from the price list inside the published litellm wheel.

Every price that genai-prices also knows is compared with it; the outcome is printed and written
into the data, and a share of agreement below the floor is an error. Vendors that litellm lacks are
taken from genai-prices. No code of either wheel runs.
"""

import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from price_gaps import gaps
from price_list import PriceList, Row, entries, facts
from price_witness import Pair, Witness

TOLERANCE = Decimal("0.01")
COMPARED = frozenset({"chat", "completion", "responses", "embedding"})
# One price for all regions is all that the second source tells: regional ids are not compared.
REGIONAL = re.compile(r"^([a-z]{2}(-gov)?|apac|global|[a-z]{2}(-gov)?-[a-z]+-\d)[./]")


@dataclass(frozen=True)
class Disagreement:
    """A model that the two sources price differently, as (input, output) per token."""

    provider: str
    model: str
    ours: Pair
    theirs: Pair


def agrees(ours: Pair, theirs: Pair) -> bool:
    """Say whether both prices lie within the tolerance; a side that is unknown cannot disagree."""
    return all(
        a is None or b is None or abs(a - b) <= TOLERANCE * max(a, b)
        for a, b in zip(ours, theirs, strict=True)
    )


@dataclass(frozen=True)
class Catalogue:
    """The rows of every provider, and how many of them the second source confirmed.

    `taken`: the providers whose rows are the second source's own.
    """

    providers: dict[str, dict[str, Row]]
    taken: tuple[str, ...]
    compared: int
    disagreements: list[Disagreement]

    @property
    def agreeing(self) -> int:
        """Return how many of the compared rows agree."""
        return self.compared - len(self.disagreements)


def build(rows: dict[str, Row], witness: Witness) -> Catalogue:
    """Return the catalogue; rows that both sources price are marked checked, true or false."""
    providers: dict[str, dict[str, Row]] = {}
    for provider, model, row in entries(rows):
        theirs = witness.prices(provider, model)
        known = facts(provider, model, row, next(iter(theirs), None))
        providers.setdefault(provider, {})[model] = known
        ours = (known.get("input"), known.get("output"))
        priced = [pair for pair in theirs if pair[0] is not None]
        comparable = known["mode"] in COMPARED and not REGIONAL.match(model)
        if comparable and ours[0] is not None and priced:
            known["checked"] = any(agrees(ours, pair) for pair in priced)
    checked = [
        (p, m, k) for p, models in providers.items() for m, k in models.items() if "checked" in k
    ]
    wrong = [
        Disagreement(p, m, (k.get("input"), k.get("output")), witness.prices(p, m)[0])
        for p, m, k in checked
        if not k["checked"]
    ]
    taken = gaps(providers, witness)
    return Catalogue(providers | taken, tuple(taken), len(checked), wrong)


def pack(catalogue: Catalogue, source: PriceList, witness: Witness, day: date) -> bytes:
    """Return the data file: the same input gives the same bytes."""
    second = {"name": "genai-prices", "version": witness.version, "date": day.isoformat()}
    document = {
        "source": {"name": "litellm", "version": source.version, "date": day.isoformat()},
        "others": dict.fromkeys(catalogue.taken, second),
        "check": {
            **second,
            "compared": catalogue.compared,
            "agreeing": catalogue.agreeing,
        },
        "providers": {
            p: [rows[m] for m in sorted(rows)] for p, rows in catalogue.providers.items()
        },
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return gzip.compress(text.encode(), 9, mtime=0)


def report(catalogue: Catalogue) -> Iterator[str]:
    """Yield the lines of the cross-check, prices in USD per million tokens."""
    for d in sorted(catalogue.disagreements, key=lambda d: (d.provider, d.model)):
        yield f"  {d.provider} {d.model}: {per_million(d.ours)} here, {per_million(d.theirs)} there"
    rows = sum(map(len, catalogue.providers.values()))
    yield f"{rows} models of {len(catalogue.providers)} providers"
    for provider in catalogue.taken:
        yield f"{len(catalogue.providers[provider])} of them of {provider}, by the second source"
    yield f"{catalogue.compared} compared, {catalogue.agreeing} agree within {TOLERANCE:.0%}"


def per_million(pair: Pair) -> str:
    """Return an input/output pair in USD per million tokens."""
    return "/".join("?" if p is None else f"{Decimal(p).scaleb(-6).normalize():f}" for p in pair)


def download(package: str, folder: str) -> Path:
    """Fetch the newest wheel of a package into the folder."""
    options = ["--quiet", "--no-deps", "--dest", folder]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, package], check=True)
    return next(Path(folder).glob(f"{package.replace('-', '_')}-*.whl"))


def main() -> int:
    """Write the catalogue and print the cross-check; 1 where too few prices agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--litellm-wheel", type=Path, help="downloaded when not given")
    parser.add_argument("--genai-prices", type=Path, help="wheel; downloaded when not given")
    parser.add_argument("--date", type=date.fromisoformat, required=True, help="day of the prices")
    parser.add_argument(
        "--agreement", type=Decimal, default=Decimal("0.85"), help="least share, 0..1"
    )
    parser.add_argument("--out", type=Path, default=Path("src/infway/ims/data/catalog.json.gz"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = PriceList.open(options.litellm_wheel or download("litellm", folder))
        witness = Witness.open(
            options.genai_prices or download("genai-prices", folder), options.date
        )
    catalogue = build(source.rows, witness)
    print(*report(catalogue), sep="\n")
    if catalogue.agreeing < options.agreement * catalogue.compared:
        print(f"fewer than {options.agreement:.0%} agree: nothing written", file=sys.stderr)
        return 1
    options.out.write_bytes(pack(catalogue, source, witness, options.date))
    return 0


if __name__ == "__main__":
    sys.exit(main())
