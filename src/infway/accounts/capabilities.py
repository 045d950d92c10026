"""What administrators may do, by name; nobody grants what they do not hold themselves."""

from enum import StrEnum
from typing import NamedTuple


class Capability(StrEnum):
    """One thing that an administrator may do."""

    KEYS_READ = "keys:read"  # keys, projects, organisations and plans
    KEYS_WRITE = "keys:write"
    PROJECTS_WRITE = "projects:write"
    ORGANISATIONS_WRITE = "organisations:write"
    PLANS_WRITE = "plans:write"
    ADMINS_READ = "admins:read"
    ADMINS_WRITE = "admins:write"
    AUDIT_READ = "audit:read"
    USAGE_READ = "usage:read"
    CONTENTS_READ = "contents:read"  # what was asked and answered, where it is kept
    DECISIONS_READ = "decisions:read"
    RELOAD = "reload"


EVERYTHING = frozenset(Capability)
# What concerns all organisations: nobody who is limited to one may hold it
EVERYWHERE = frozenset(
    {
        Capability.ORGANISATIONS_WRITE,
        Capability.PLANS_WRITE,
        Capability.DECISIONS_READ,
        Capability.RELOAD,
    }
)


class Actor(NamedTuple):
    """Who changes something. `organisation`: the only one that is theirs; None: all are.

    `until`: when the key ends that they present (Unix seconds); None: never.
    """

    name: str
    capabilities: frozenset[Capability] = EVERYTHING
    organisation: str | None = None
    until: float | None = None
