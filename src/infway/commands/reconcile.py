"""`infway reconcile`: a provider's word on what was used, beside the ledger's."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import nan
from pathlib import Path

import click
import msgspec

from infway.commands import options
from infway.commands.configuration import stock
from infway.commands.ledgered import Read, ledger_read
from infway.commands.surroundings import Surroundings
from infway.commands.table import json_text, table
from infway.kernel.clock import system_clock
from infway.kernel.money import usd_text
from infway.ledger.answers import money
from infway.ledger.drift import (
    EVERY,
    Drift,
    Matching,
    apart,
    attempts,
    compared,
    joined,
    summed,
    upstreams_of,
)
from infway.ledger.exports.reading import read_export
from infway.ledger.exports.words import Counts, Export, ExportError
from infway.settings.account_checks import closest

HEAD = ("DAY", "UPSTREAM", "MODEL", "KEY", "WHAT", "PROVIDER", "LEDGER", "DIFFERENCE", "DRIFT")
_WORDS: Mapping[str, str] = {
    "requests": "requests",
    "prompt": "tokens in",
    "completion": "tokens out",
    "cached": "cached",
    "cost": "USD",
}
_DAY = 86_400.0  # seconds


class _Wrong(click.ClickException):
    """What was given cannot be compared: another end than that of drift."""

    exit_code = 2


class Percent(click.ParamType[float]):
    """A part of a hundred."""

    name = "percent"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; what is none, or out of 0 to 100, is a usage error."""
        try:
            number = float(str(value))
        except ValueError:
            number = nan
        if not 0 <= number <= 100:  # so it is with nan
            self.fail("write a number from 0 to 100", param, ctx)
        return number


class Pair(click.ParamType[tuple[str, str]]):
    """Two names with `=` between them."""

    name = "name=name"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read both."""
        one, _, other = str(value).rpartition("=")
        if not (one and other):
            self.fail("write two names with = between them", param, ctx)
        return one, other


@click.command("reconcile")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--upstream", multiple=True, help="Whose usage it is; default: all of that vendor.")
@click.option(
    "--key", multiple=True, type=Pair(), help="KEY=UPSTREAM: only these keys of the export."
)
@click.option("--model", multiple=True, type=Pair(), help="NAME=NATIVE: what we call a model.")
@click.option(
    "--tolerance",
    type=Percent(),
    default=1.0,
    help="Drift that is none, in percent.",
)
@click.option("--days", is_flag=True, help="Show every day by itself.")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table")
@options.config
@click.pass_context
def command(
    context: click.Context,
    /,
    files: tuple[Path, ...],
    config: Path | None,
    form: str,
    tolerance: float,
    *,
    days: bool,
    **said: tuple[object, ...],
) -> None:
    """Compare usage or cost exports of one provider with the ledger's attempts.

    OpenAI's and Anthropic's usage and costs (the admin APIs' pages, or CSV), and OpenRouter's activity
    (JSON or CSV); which it is shows by itself. Ends with 1 where they are further apart than the
    tolerance, over all days, and with 2 where a file cannot be read.
    """
    surroundings: Surroundings = context.obj
    with ledger_read(surroundings, config) as there:
        try:
            drifts = _drifts(surroundings, there, files, said)
        except ExportError as error:
            raise _Wrong(str(error)) from error
    sums = summed(drifts)
    worst = [_beyond(one, Fraction(tolerance) / 100) for one in sums if one.parts()]
    shown = drifts if days else sums
    if form == "json":
        click.echo(json_text({"drifted": any(worst), "lines": [_view(one) for one in shown]}))
    else:
        click.echo(_in_table(shown))
    if any(worst):
        click.echo(f"Beyond {tolerance:g} %: {sum(worst)} of {len(worst)}.", err=True)
        context.exit(1)


def _drifts(
    surroundings: Surroundings,
    there: Read,
    files: Iterable[Path],
    said: Mapping[str, tuple[object, ...]],
) -> list[Drift]:
    """Return what is compared; raises ExportError."""
    export = joined(_read_all(files))
    if not export.spans:
        click.echo("The export is empty: there is no time to compare.", err=True)
    matching = _matching(surroundings, there, export, said)
    keep = there.settings.ledger.keep
    first = min((begin for begin, _ in export.spans), default=0.0)
    if keep is not None and first < system_clock().wall() - keep * _DAY:
        click.echo(f"Rows are kept for {keep:g} days only: some may be gone.", err=True)
    return compared(export, attempts(there.database, export.spans), matching)


def _read_all(files: Iterable[Path]) -> list[Export]:
    """Return what each file says; raises ExportError where two say the same: it would count twice."""
    read: list[tuple[Path, Export]] = []
    for path in files:
        export = _read(path)
        for other, known in read:
            if export.rows and (known.spans, known.rows) == (export.spans, export.rows):
                raise ExportError(f"{path}: it says what {other} says: that would count twice")
        read.append((path, export))
    return [export for _, export in read]


def _read(path: Path) -> Export:
    try:
        return read_export(path.read_bytes())
    except (ExportError, OSError) as error:
        raise ExportError(f"{path}: {error}") from error


def _matching(
    surroundings: Surroundings,
    there: Read,
    export: Export,
    said: Mapping[str, tuple[object, ...]],
) -> Matching:
    """Return what belongs together, as was said; or by what vendor an upstream is of."""
    keys, models = dict(_pairs(said["key"])), dict(_pairs(said["model"]))
    named = frozenset(map(str, said["upstream"]))
    _check_upstreams(surroundings, there, {*named, *keys.values()})
    if not named and not keys and export.vendor:
        offers = stock(surroundings, there.settings)[0].all_offers
        named = frozenset(
            one.upstream.name for one in offers if one.upstream.vendor == export.vendor
        )
        if not named:
            raise ExportError(
                f"no upstream is of the vendor {export.vendor}: name it by --upstream"
            )
    return Matching(named, keys, models)


def _check_upstreams(surroundings: Surroundings, there: Read, names: Iterable[str]) -> None:
    """Raise ExportError for the first name that is in neither the ledger nor the configuration."""
    known = upstreams_of(there.database) | {one.name for one in there.settings.upstreams}
    unknown = sorted(set(names) - known)
    if unknown:  # what is found by itself, or simulated
        known |= {one.name for one in stock(surroundings, there.settings)[0].upstreams}
    for name in unknown:
        if name not in known:
            hint = closest(name, known)
            message = f"no upstream `{name}` is in the ledger or the configuration{hint}"
            raise ExportError(message)


def _pairs(said: Iterable[object]) -> list[tuple[str, str]]:
    return [one for one in said if isinstance(one, tuple)]


def _beyond(one: Drift, tolerance: Fraction) -> bool:
    return any(part > tolerance for part in one.parts().values())


def _in_table(drifts: Sequence[Drift]) -> str:
    rows = [
        (*one.place, _WORDS[name], _text(name, theirs), *_beside(name, theirs, ours))
        for one in drifts
        for name, theirs, ours in zip(Counts._fields, one.theirs, one.ours, strict=True)
        if theirs is not None
    ]
    if not rows:
        return "There is nothing to compare: neither side has any usage."
    kept = [column for column in range(len(HEAD)) if any(_is_told(row[column]) for row in rows)]
    right = frozenset(kept.index(column) for column in kept if column > HEAD.index("WHAT"))
    return table(
        [HEAD[column] for column in kept], [[row[column] for column in kept] for row in rows], right
    )


def _is_told(cell: str) -> bool:
    return cell not in ("", EVERY)


def _beside(name: str, theirs: int, ours: int | None) -> tuple[str, str, str]:
    """Return what the ledger says of it, and how far that is away; empty where it says nothing."""
    if ours is None:
        return "", "", ""
    share = f"{float(apart(theirs, ours) * 100):.2f} %"
    return _text(name, ours), _text(name, ours - theirs), share


def _text(name: str, value: int) -> str:
    return usd_text(value, 6) if name == "cost" else f"{value:,}"


def _view(one: Drift) -> Mapping[str, object]:
    day, upstream, model, key = (None if not _is_told(name) else name for name in one.place)
    parts = one.parts()
    return {
        "day": day,
        "upstream": upstream,
        "model": model,
        "key": key,
        "provider": _counts(one.theirs),
        "ledger": _counts(one.ours),
        "drift": {name: round(float(part), 6) for name, part in parts.items()},
        "estimated": one.estimated,
    }


def _counts(counts: Counts) -> Mapping[str, object]:
    told: dict[str, object] = counts._asdict()
    cost: msgspec.Raw | None = None if counts.cost is None else money(counts.cost)
    return {**told, "cost": cost}
