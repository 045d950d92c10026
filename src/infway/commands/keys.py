"""`infway keys`: keys that callers present, made and changed while the gateway runs."""

from infway.accounts.entries import Kind
from infway.commands.making import add_edit, add_mint
from infway.commands.registered import verbs
from infway.commands.termed import key_options

command = verbs(
    Kind.KEY,
    "Mint, list and change keys; the gateway may be running.",
    ("project", "plan", "budgets", "expires_at"),
)
add_mint(
    command,
    Kind.KEY,
    "Make a key and print it, this once; without NAME it is called as its id.",
    key_options,
)
add_edit(command, Kind.KEY, key_options)
