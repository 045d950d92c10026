"""`infway organisations`: who pays; their limits and budgets hold for all their projects."""

from infway.accounts.entries import Kind
from infway.commands.making import add_making
from infway.commands.registered import verbs
from infway.commands.termed import holder_options

command = verbs(Kind.ORGANISATION, "Make, list and change organisations.", ("plan", "budgets"))
add_making(command, Kind.ORGANISATION, holder_options, holder_options)
