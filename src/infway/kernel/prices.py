"""What a model costs: prices of everything that is counted, for prompts of every length."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

PARTS: Mapping[str, tuple[str, ...]] = {
    "input": ("cache_read", "cache_write", "cache_write_1h", "audio_input", "image_input"),
    "output": ("reasoning", "audio_output", "image_output"),
}
"""The prices of parts of what is read and made: tokens of a part without its own pay the whole's."""


class Prices(NamedTuple):
    """Prices in 10^-12 USD per token. None is unknown, and unknown is never zero.

    `image_input`, `image_output`: per token of pictures. `longer`: what holds in place of all of
    them for prompts of more than `long_from` tokens, up to its own `long_from`. The last four are
    no prices of tokens: of a search, a picture, a character that is spoken, a second of sound.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    long_from: int | None = None
    longer: "Prices | None" = None
    image_input: int | None = None
    image_output: int | None = None
    query: int | None = None
    image: int | None = None
    character: int | None = None
    second: int | None = None

    @property
    def known(self) -> bool:
        """Tell whether a plain text request can be priced."""
        return self.input is not None and self.output is not None

    def at(self, prompt: int) -> "Prices":
        """Return the prices that hold for a prompt of so many tokens."""
        held = self
        while held.longer is not None and held.long_from is not None and prompt > held.long_from:
            held = held.longer
        return held

    def steps(self) -> Iterator["Prices"]:
        """Iterate over these prices and those for longer and longer prompts."""
        step: Prices | None = self
        while step is not None:
            yield step
            step = step.longer
