"""What a model costs: prices of everything that is counted, for prompts of every length."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

PARTS: Mapping[str, tuple[str, ...]] = {
    "input": ("cache_read", "cache_write", "cache_write_1h", "audio_input", "audio_cache_read",
              "image_input"),
    "output": ("reasoning", "audio_output", "image_output"),
}  # fmt: skip
"""The prices of parts of what is read and made: tokens of a part without its own pay the whole's.

Sound that comes from a cache pays `cache_read` first.
"""


class Prices(NamedTuple):
    """Prices in 10^-12 USD per token. None is unknown, and unknown is never zero.

    `image_input`, `image_output`: per token of pictures. `longer`: what holds in place of all of
    them for prompts of more than `long_from` tokens, up to its own `long_from`. `query`, `image`,
    `character`, `second` are no prices of tokens: of a search, a picture, a character that is
    spoken, a second of sound. `tiers`: what holds in place of all of them at a service tier, by its
    name; prices of a tier have none themselves.
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
    audio_cache_read: int | None = None
    tiers: tuple[tuple[str, "Prices"], ...] = ()

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

    def having(self, tokens: Mapping[str, int | None]) -> "Prices":
        """Return these with other prices of tokens, by the names that `PARTS` has."""
        both = zip(self._fields, self, strict=True)
        return Prices._make(tokens.get(name, price) for name, price in both)

    def of(self, tier: str) -> "Prices":
        """Return the prices of a service tier, these where it has none of its own."""
        return next((prices for name, prices in self.tiers if name == tier), self)

    def steps(self) -> Iterator["Prices"]:
        """Iterate over these prices and those for longer and longer prompts."""
        step: Prices | None = self
        while step is not None:
            yield step
            step = step.longer


def tier_of(usual: Prices, said: Mapping[int, Mapping[str, int]]) -> Prices:
    """Return the prices of a service tier at which the usual ones are these.

    `said`: what is known of it, by the length of a prompt above which it holds, 0 for all. The rest
    costs as usual, or more in proportion where the tier is dearer: never too little, since vendors
    differ in what a cheaper tier makes cheaper.
    """
    short = said.get(0, {})
    bands: list[Prices] = []
    above = 0
    for band in usual.steps():
        known = said.get(above, {})
        now: dict[str, int | None] = {}
        for whole, parts in PARTS.items():
            price, first = getattr(band, whole), getattr(usual, whole)
            now[whole] = known.get(whole, _dearer(price, first, short.get(whole)))
            for part in parts:
                now[part] = known.get(part, _dearer(getattr(band, part), price, now[whole]))
        bands.append(band.having(now)._replace(tiers=()))
        above = band.long_from or 0
    held: Prices | None = None
    for band in reversed(bands):
        held = band._replace(longer=held)
    return held or usual


def risen(part: int | None, whole: int | None, now: int | None) -> int | None:
    """Return the price of a part whose whole had one price and has another now."""
    if part is None or not whole or now is None:
        return part
    return (2 * part * now + whole) // (2 * whole)


def _dearer(part: int | None, whole: int | None, now: int | None) -> int | None:
    """Return the same, but no less than it was."""
    other = risen(part, whole, now)
    return part if part is None or other is None else max(part, other)
