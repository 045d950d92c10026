"""`infway admins`: keys of the admin API, with what each of them may do there."""

from infway.accounts.entries import Kind
from infway.commands.making import add_edit, add_mint
from infway.commands.registered import verbs
from infway.commands.termed import admin_changes, admin_options

command = verbs(
    Kind.ADMIN,
    "Mint, list and change keys of the admin API.",
    ("organisation", "capabilities", "expires_at"),
)
add_mint(command, Kind.ADMIN, "Make an admin key and print it, this once.", admin_options)
add_edit(command, Kind.ADMIN, admin_changes)
