"""The packaged price catalogue, read from bytes: what a model costs and can do at a vendor.

Prices are in 10^-12 USD per token, as in `kernel.money`. An unknown price is None, never 0; a 0 is
a model that is free. Only the vendors that are asked for are ever decoded.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from infway.kernel.prices import PARTS, Prices, risen, tier_of

Capability = Literal[
    "tools",
    "parallel_tools",
    "vision",
    "audio_in",
    "audio_out",
    "files",
    "json_schema",
    "json_object",
    "reasoning",
    "prefill",
    "prompt_cache",
    "web_search",
]


_OTHERS = frozenset({"long_from", "longer", "tiers"})  # prices of other prompts and other tiers


class Beyond(msgspec.Struct, frozen=True, kw_only=True):
    """What is stated of the prices of a whole request whose prompt is longer than `above` tokens.

    A price that is None here is not stated for long prompts.
    """

    above: int
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None


class TierStep(Beyond, frozen=True, kw_only=True):
    """The prices of long prompts at a service tier."""

    input: int | None = None


class Step(Beyond, frozen=True, kw_only=True):
    """The prices of long prompts as usual."""

    input: int


class TokenPrices(msgspec.Struct, frozen=True, kw_only=True):
    """What is stated of the prices of tokens; None is not stated."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    audio_cache_read: int | None = None
    image_input: int | None = None
    image_output: int | None = None


class TierPrices(TokenPrices, frozen=True, kw_only=True):
    """What is stated of the prices of one service tier."""

    steps: tuple[TierStep, ...] = ()


class ModelFacts(TokenPrices, frozen=True, kw_only=True):
    """What the catalogue knows of one model at one vendor; None is unknown.

    `context` is the longest prompt in tokens, `max_output` the longest answer, `retires` the day
    (YYYY-MM-DD) the vendor named for switching it off. No `capabilities` is a model that can do
    none of them; None is one of which no source says what it can do. `checked` says whether a second source
    gives the same prices: True, False, or None where it has none to compare. `query`, `image`,
    `character` and `second` are no prices of tokens: of a search, a picture, a character that is
    spoken, a second of sound. `tier_prices`: by the names of service tiers.
    """

    id: str
    mode: str
    query: int | None = None
    image: int | None = None
    character: int | None = None
    second: int | None = None
    steps: tuple[Step, ...] = ()
    tier_prices: dict[str, TierPrices] = {}
    context: int | None = None
    max_output: int | None = None
    capabilities: tuple[Capability, ...] | None = None
    checked: bool | None = None
    retires: str | None = None

    @property
    def long_from(self) -> int | None:
        """The prompt length in tokens above which other prices begin."""
        return self.steps[0].above if self.steps else None

    @property
    def longer(self) -> Prices | None:
        """The prices above `long_from`, which lead on to those above the next step."""
        longer, ends = None, None
        for step in reversed(self.steps):
            longer = self._at(step)._replace(long_from=ends, longer=longer)
            ends = step.above
        return longer

    @property
    def prices(self) -> Prices:
        """All prices, with those of every length and tier."""
        usual = self._short()._replace(long_from=self.long_from, longer=self.longer)
        tiers = [(name, tier_of(usual, _stated(one))) for name, one in self.tier_prices.items()]
        return usual._replace(tiers=tuple(tiers))

    def _short(self) -> Prices:
        """Return the usual prices of prompts that are not long."""
        names = (name for name in Prices._fields if name not in _OTHERS)
        return Prices(**{name: getattr(self, name) for name in names})

    def _at(self, step: Step) -> Prices:
        """Return the prices of a step.

        What it does not state of a part rises as the whole does: so do all prices of cached tokens
        that steps state, but for rounding.
        """
        short = self._short()
        now: dict[str, int | None] = {
            "input": step.input,
            "output": _first(step.output, self.output),
        }
        for whole, parts in PARTS.items():
            for part in parts:
                more = risen(getattr(short, part), getattr(short, whole), now[whole])
                now[part] = _first(getattr(step, part, None), more)
        return short.having(now)


def _first(price: int | None, other: int | None) -> int | None:
    return other if price is None else price


def _stated(tier: TierPrices) -> dict[int, dict[str, int]]:
    """Return the prices of a tier that are stated, by the length above which they hold."""
    bands: dict[int, TierPrices | TierStep] = {0: tier} | {step.above: step for step in tier.steps}
    names = [name for whole, parts in PARTS.items() for name in (whole, *parts)]
    return {
        above: {name: price for name in names if (price := getattr(band, name, None)) is not None}
        for above, band in bands.items()
    }


class Source(msgspec.Struct, frozen=True):
    """Where the prices come from: a published package, its version, and the day they were taken."""

    name: str
    version: str
    date: str


class Check(msgspec.Struct, frozen=True):
    """The second source, how many rows it could be compared with, and how many agreed."""

    name: str
    version: str
    date: str
    compared: int
    agreeing: int


class _Document(msgspec.Struct, frozen=True):
    source: Source
    check: Check
    providers: dict[str, msgspec.Raw]
    others: dict[str, Source] = {}


_DOCUMENT = msgspec.json.Decoder(_Document)
_ROWS = msgspec.json.Decoder(tuple[ModelFacts, ...])


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The catalogue, by litellm's names of vendors and the vendors' own model ids.

    `others`: the vendors whose rows do not come from `source`, and where they come from.
    """

    source: Source
    check: Check
    others: Mapping[str, Source]
    _raw: dict[str, msgspec.Raw] = field(repr=False)
    _decoded: dict[str, dict[str, ModelFacts]] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, data: bytes) -> "PriceBook":
        """Open the gzipped catalogue; raise OSError or msgspec.DecodeError where it is damaged."""
        document = _DOCUMENT.decode(gzip.decompress(data))
        return cls(document.source, document.check, document.others, document.providers)

    @property
    def providers(self) -> tuple[str, ...]:
        """The names of all vendors in the catalogue, in order."""
        return tuple(self._raw)

    def facts(self, provider: str, model: str) -> ModelFacts | None:
        """Return what is known of a model at a vendor, None where the catalogue has no such row."""
        return self._rows(provider).get(model)

    def models(self, provider: str) -> tuple[ModelFacts, ...]:
        """Return every model of a vendor by id; empty for a vendor that is not in the catalogue."""
        return tuple(self._rows(provider).values())

    def _rows(self, provider: str) -> dict[str, ModelFacts]:
        raw = self._raw.get(provider)
        if raw is None:
            return {}
        if provider not in self._decoded:
            self._decoded[provider] = {row.id: row for row in _ROWS.decode(raw)}
        return self._decoded[provider]
