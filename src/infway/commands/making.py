"""The commands that make and edit entries of the register: alike but for their options."""

from collections.abc import Callable
from pathlib import Path

import click

from infway.accounts.checking import checked_terms
from infway.accounts.entries import Kind
from infway.commands import options
from infway.commands.registered import as_json, hand_over, opened, show, warn
from infway.commands.surroundings import Surroundings
from infway.commands.termed import clearing, said_of
from infway.commands.times import Moment
from infway.kernel.clock import system_clock

Decorated = Callable[[Callable[..., None]], Callable[..., None]]


def add_making(group: click.Group, kind: Kind, new: Decorated, changed: Decorated) -> None:
    """Add `create` and `edit` of what has no secret; `new` and `changed` add the options of each."""
    _add_create(group, kind, new)
    add_edit(group, kind, changed)


def _add_create(group: click.Group, kind: Kind, new: Decorated) -> None:
    @group.command("create", help="Make one; its name is its own for good.")
    @click.argument("name")
    @new
    @options.config
    @as_json
    @click.pass_obj
    def create(
        surroundings: Surroundings,
        /,
        name: str,
        config: Path | None,
        *,
        as_json: bool,
        **given: object,
    ) -> None:
        terms = checked_terms(kind, said_of(given))
        with opened(surroundings, config) as there:
            entry = there.office.create(there.actor, kind, name, terms).entry
        warn(surroundings, config, entry)
        show(entry.view(system_clock().wall()), as_json=as_json)


def add_mint(group: click.Group, kind: Kind, about: str, new: Decorated) -> None:
    """Add `mint` of what has a secret; `new` adds its options."""

    @group.command("mint", help=about)
    @click.argument("name", required=False)
    @new
    @click.option("--expires", type=Moment(), help="When it ends: 30d, or a date (UTC).")
    @options.config
    @as_json
    @click.pass_obj
    def mint(
        surroundings: Surroundings,
        /,
        name: str | None,
        expires: float | None,
        config: Path | None,
        *,
        as_json: bool,
        **given: object,
    ) -> None:
        terms = checked_terms(kind, said_of(given))
        with opened(surroundings, config) as there:
            made = there.office.create(there.actor, kind, name, terms, expires)
        warn(surroundings, config, made.entry)
        hand_over(made, as_json=as_json)


def add_edit(group: click.Group, kind: Kind, changed: Decorated) -> None:
    """Add `edit`; `changed` adds its options."""

    @group.command("edit", help="Change what is said, and nothing else.")
    @click.argument("ref", metavar="NAME")
    @changed
    @clearing(kind)
    @options.config
    @as_json
    @click.pass_obj
    def edit(
        surroundings: Surroundings,
        /,
        ref: str,
        config: Path | None,
        clear: tuple[str, ...] = (),
        *,
        as_json: bool,
        **given: object,
    ) -> None:
        with opened(surroundings, config) as there:
            entry = there.office.edit(there.actor, kind, ref, said_of(given), clear)
        warn(surroundings, config, entry)
        show(entry.view(system_clock().wall()), as_json=as_json)
