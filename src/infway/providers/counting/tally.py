"""What a request adds up to: texts that a vocabulary counts, tokens that are known without one."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Count(NamedTuple):
    """Tokens. `exact`: the vendor counts the same; otherwise it is an estimate."""

    tokens: int
    exact: bool


@dataclass(slots=True)
class Tally:
    """Texts and tokens of one request. `is_plain`: nothing in it had to be guessed."""

    texts: list[str] = field(default_factory=list[str])
    tokens: int = 0
    is_plain: bool = True

    def guess(self, tokens: int) -> None:
        """Add tokens of which the vendor may count more or fewer."""
        self.tokens += tokens
        self.is_plain = False
