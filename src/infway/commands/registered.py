"""The register from the command line: the same verbs for every kind, on the database itself.

The gateway may be running: it sees what changed within `accounts.refresh` seconds.
"""

import json
import os
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import randbelow
from typing import NamedTuple

import click

from infway.accounts.capabilities import Actor
from infway.accounts.entries import BLOCKED, EXPIRED, PRESENTED, Entry, Kind
from infway.accounts.office import LONGEST_OVERLAP, Minted, Office, Tools
from infway.accounts.register import Register
from infway.accounts.terms import KeyTerms
from infway.commands import options
from infway.commands.configuration import configured, stock
from infway.commands.surroundings import Surroundings
from infway.commands.table import table
from infway.commands.times import Moment, Span
from infway.configured import custom_of, database_of, digests_of
from infway.database import Database
from infway.inventory.names import offered
from infway.kernel.clock import system_clock
from infway.kernel.errors import CallerError
from infway.providers.shapes import is_object
from infway.serving import MADE_KEY
from infway.settings.tree import is_list

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NAMED = ("plan", "project", "organisation")  # what a configuration has as well
_UNREAD = " No configuration was read: --config or INFWAY_CONFIG names one."
_ref = click.argument("ref", metavar="NAME")
View = Mapping[str, object]


class Opened(NamedTuple):
    """An office, whoever uses it from here, and the database that it works with."""

    office: Office
    actor: Actor
    database: Database


@contextmanager
def opened(surroundings: Surroundings, config: Path | None) -> Generator[Opened, None, None]:
    """Open the office for the block; raises SettingsError, DatabaseError and CallerError."""
    settings = configured(surroundings, config).settings
    data = surroundings.data
    digests = digests_of(settings, data, randbelow)
    known = custom_of(settings).configured
    if not known.keys:
        known = known._replace(keys={MADE_KEY: KeyTerms()})
    database = database_of(settings, data)
    register = Register(database, digests.mark)
    office = Office(register, lambda: known, Tools(digests, system_clock().wall, randbelow))
    try:
        yield Opened(office, Actor(f"command line (uid {os.getuid()})"), database)
    except CallerError as error:
        if error.param not in _NAMED or surroundings.config(config) is not None:
            raise
        raise CallerError(error.status, error.code, f"{error}{_UNREAD}", error.param) from error
    finally:
        register.close()


def warn(surroundings: Surroundings, config: Path | None, entry: Entry) -> None:
    """Say which names in an entry lead nowhere now; the configuration may change later."""
    said = entry.terms.model_dump(include={"models", "upstreams"})
    if not any(said.values()):
        return
    settings = configured(surroundings, config).settings
    inventory, _ = stock(surroundings, settings)
    there = offered(settings, inventory.all_offers, inventory.upstreams)
    for warning in there.missing(entry.terms):
        click.echo(f"warning: {warning}", err=True)


def show(view: View, *, as_json: bool) -> None:
    """Print one entry."""
    if as_json:
        click.echo(json.dumps(view, indent=2))
        return
    said = {name: value for name, value in view.items() if value not in (None, [], {})}
    width = max(map(len, said))
    for name, value in said.items():
        click.echo(f"{name.ljust(width)}  {cell(value)}")


def hand_over(made: Minted, *, as_json: bool) -> None:
    """Print a new secret: alone where it can be piped on, the rest beside it."""
    view = made.entry.view(system_clock().wall())
    if as_json:
        click.echo(json.dumps({**view, "key": made.secret}, indent=2))
        return
    click.echo(f"{made.entry.kind.value} `{made.entry.name}`: shown this once.", err=True)
    click.echo(made.secret)


def cell(value: object) -> str:
    """Return a value as a table or a line shows it."""
    if is_list(value):
        return ", ".join(map(cell, value))
    if is_object(value):
        if "usd" in value:
            return f"{value['usd']}/{value['per']}"
        return ", ".join(f"{name} {cell(one)}" for name, one in value.items() if one is not None)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def verbs(kind: Kind, help_text: str, columns: Iterable[str]) -> click.Group:
    """Return the group of commands of one kind, with the verbs that all kinds have."""
    group = click.Group(f"{kind.value}s", help=help_text)
    _add_looks(group, kind, ("name", "id", "state", *columns, "source"))
    if kind is not Kind.PLAN:
        _add(group, "disable", "Let it hold no more until it is enabled.", kind, Office.disable)
        _add(group, "enable", "Let it hold again.", kind, Office.enable)
    if kind in PRESENTED:
        _add(group, "revoke", "End it for good.", kind, Office.revoke)
        _add_ends(group, kind)
    return group


def _add_looks(group: click.Group, kind: Kind, columns: tuple[str, ...]) -> None:
    @group.command("list")
    @options.config
    @as_json
    @click.pass_obj
    def listed(surroundings: Surroundings, config: Path | None, *, as_json: bool) -> None:
        """List all of them, those of the configuration as well."""
        with opened(surroundings, config) as there:
            now = system_clock().wall()
            views = [one.view(now) for one in there.office.list(there.actor, kind)]
        if as_json:
            click.echo(json.dumps(views, indent=2))
        elif views:
            rows = [[cell(view.get(column)) for column in columns] for view in views]
            click.echo(table([column.upper() for column in columns], rows, frozenset()))
        else:
            click.echo("There are none.")

    @group.command("show")
    @_ref
    @options.config
    @as_json
    @click.pass_obj
    def shown(surroundings: Surroundings, ref: str, config: Path | None, *, as_json: bool) -> None:
        """Show one, by its name or its id."""
        with opened(surroundings, config) as there:
            entry = there.office.show(there.actor, kind, ref)
        show(entry.view(system_clock().wall()), as_json=as_json)


def _add(group: click.Group, name: str, about: str, kind: Kind, verb: Callable[..., Entry]) -> None:
    @group.command(name, help=about)
    @_ref
    @options.config
    @click.pass_obj
    def done(surroundings: Surroundings, ref: str, config: Path | None) -> None:
        with opened(surroundings, config) as there:
            view = verb(there.office, there.actor, kind, ref).view(system_clock().wall())
        still = _still_refused(kind, ref, view) if name == "enable" else ""
        click.echo(f"{kind.value} `{ref}`: {name}d{still}.")


def _still_refused(kind: Kind, ref: str, view: View) -> str:
    """Return what keeps an entry from holding although it is enabled, if anything does."""
    if view["state"] == EXPIRED:
        way = f"`infway {kind.value}s expire {ref} --never` or --at lets it go on"
        return f", but it ended on {view['expires_at']}: {way}"
    return f", but it is refused: {view['reason']}" if view["state"] == BLOCKED else ""


def _add_ends(group: click.Group, kind: Kind) -> None:
    @group.command("rotate")
    @_ref
    @click.option("--overlap", type=Span(), default="0s", help="How long the old secret goes on.")
    @options.config
    @as_json
    @click.pass_obj
    def rotated(
        surroundings: Surroundings, ref: str, overlap: float, config: Path | None, *, as_json: bool
    ) -> None:
        """Make a new secret and print it, this once."""
        if overlap > LONGEST_OVERLAP:
            raise click.BadParameter("at most 30d", param_hint="--overlap")
        with opened(surroundings, config) as there:
            made = there.office.rotate(there.actor, kind, ref, overlap)
        hand_over(made, as_json=as_json)

    @group.command("expire")
    @_ref
    @click.option("--at", type=Moment(), help="When it ends: 30d, or a date (UTC).")
    @click.option("--never", is_flag=True, help="It ends no more.")
    @options.config
    @click.pass_obj
    def expired(
        surroundings: Surroundings, ref: str, at: float | None, config: Path | None, *, never: bool
    ) -> None:
        """Say when it ends; without --at it ends now."""
        end = None if never else (system_clock().wall() if at is None else at)
        with opened(surroundings, config) as there:
            there.office.expire(there.actor, kind, ref, end)
        click.echo(f"{kind.value} `{ref}`: its end is set.")
