"""What Cohere's models do differently, by their native names.

https://docs.cohere.com/docs/models
"""

import re
from typing import NamedTuple


class Traits(NamedTuple):
    """What a model knows. `thinks`: blocks of thought, which can be asked for; else a plan of tools.

    `chooses`: it can be told to call a tool, or none. `strict`: it can be held to the schemas of
    its tools. `max_output`: tokens.
    """

    thinks: bool = True
    chooses: bool = True
    strict: bool = True
    max_output: int = 32_000


# https://docs.cohere.com/reference/chat (tool_choice: Command R7B and newer),
# https://docs.cohere.com/docs/structured-outputs (strict_tools: not yet in Command A)
_TRAITS: tuple[tuple[re.Pattern[str], Traits], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), traits)
    for pattern, traits in (
        (r"command-a-(vision|translate)|aya", Traits(thinks=False, max_output=8000)),
        (r"command-a-03", Traits(thinks=False, strict=False, max_output=8000)),
        (r"command-r7b", Traits(thinks=False, max_output=4000)),
        (r"command-r", Traits(thinks=False, chooses=False, max_output=4000)),
        (r"command(-light|-nightly)?$", Traits(False, False, False, 4000)),
    )
)
_NEWEST = Traits()


def traits_of(native: str) -> Traits:
    """Return what a model knows; one that is not in the list is newer than it."""
    found = (traits for pattern, traits in _TRAITS if pattern.search(native))
    return next(found, _NEWEST)
