"""Optional packages that some upstreams need: one that lacks its package is left out, where others are left."""

from collections.abc import Mapping
from importlib.util import find_spec

from infway.settings.checks import vendor_of
from infway.settings.tree import Tree, rows

# By the cloud whose credentials need them: the modules, and what brings them
_NEEDED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "google": (
        ("google.auth", "requests"),
        (
            "Google's credentials need google-auth, which is not installed:"
            " `pip install infway[google]`, or `make install-google`"
        ),
    ),
}


def lacking(tree: Tree) -> Mapping[int, str]:
    """Return the upstreams, by their place in the list, that lack a package; and which, in a sentence."""
    found = {index: _lacks(row) for index, row in rows(tree, "upstreams")}
    return {index: said for index, said in found.items() if said is not None}


def _lacks(row: Tree) -> str | None:
    vendor = vendor_of(row)
    needed = None if vendor is None or row.get("key") else _NEEDED.get(vendor.cloud or "")
    if needed is None or all(map(_is_there, needed[0])):
        return None
    return needed[1]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # the package that it is in is missing, or broken
        return False
