"""How many tokens a picture is, by the rules that vendors publish: tiles, patches or a fixed price."""

from math import ceil, sqrt
from typing import NamedTuple, Protocol

from infway.providers.counting.sizes import Size

UNKNOWN = Size(1024, 1024)  # what a picture is taken for whose size is not known


class Pictures(Protocol):
    """A vendor's rule."""

    def tokens(self, size: Size, detail: str) -> int:
        """Return the tokens of a picture. `detail`: low, high, or whatever its caller wrote."""
        ...


class Tiles(NamedTuple):
    """OpenAI's older rule: `base`, and `tile` for each square of 512 pixels.

    The picture is shrunk to fit 2,048 x 2,048 pixels, and then until its short side is 768.
    Low detail is `base` alone. https://platform.openai.com/docs/guides/images-vision
    """

    base: int
    tile: int

    def tokens(self, size: Size, detail: str) -> int:
        """Return the tokens of a picture."""
        if detail == "low":
            return self.base
        width, height = _within(_within(size, 2048, 2048), 2048, 768)
        return self.base + self.tile * ceil(width / 512) * ceil(height / 512)


class Patches(NamedTuple):
    """A token for each square of `side` pixels, times `factor`; `most` squares, `edge` pixels.

    OpenAI's newer rule (32 pixels, 1,536 patches) and Claude's (28 pixels, which is its older
    width x height / 750; 1,568 patches and pixels). Low detail is at most 512 x 512 pixels.
    https://platform.claude.com/docs/en/build-with-claude/vision
    """

    side: int
    most: int
    factor: float = 1.0
    edge: int = 2048

    def tokens(self, size: Size, detail: str) -> int:
        """Return the tokens of a picture."""
        edge = 512 if detail == "low" else self.edge
        width, height = _within(size, edge, edge)
        if self._patches(width, height) > self.most:
            shrink = sqrt(self.most * self.side**2 / (width * height))
            width, height = self._fitted(width * shrink, height * shrink)
        return ceil(min(self.most, self._patches(width, height)) * self.factor)

    def _patches(self, width: float, height: float) -> int:
        """Return the squares that cover a picture; what arithmetic adds to a side is no pixel."""
        return ceil(round(width / self.side, 6)) * ceil(round(height / self.side, 6))

    def _fitted(self, width: float, height: float) -> tuple[float, float]:
        """Shrink a little more, until one side is a whole number of patches."""
        across, down = width / self.side, height / self.side
        shrink = min(max(1, int(across)) / across, max(1, int(down)) / down)
        return width * shrink, height * shrink


class Crops(NamedTuple):
    """Gemini's rule up to 2.5: `each` for a picture of up to 384 pixels, else for each crop.

    A crop is a square of two thirds of the short side, but 256 to 768 pixels.
    https://ai.google.dev/gemini-api/docs/image-understanding
    """

    each: int

    def tokens(self, size: Size, detail: str) -> int:
        """Return the tokens of a picture; detail makes no difference."""
        del detail
        if max(size) <= 384:
            return self.each
        unit = min(768, max(256, int(min(size) / 1.5)))
        return self.each * ceil(size.width / unit) * ceil(size.height / unit)


class Fixed(NamedTuple):
    """So many tokens for any picture."""

    each: int

    def tokens(self, size: Size, detail: str) -> int:
        """Return the tokens of a picture; neither size nor detail makes a difference."""
        del size, detail
        return self.each


def _within(size: tuple[float, float], longest: float, shortest: float) -> tuple[float, float]:
    """Shrink a picture so that its sides are at most so long; a small one is not enlarged."""
    width, height = size
    shrink = min(1.0, longest / max(width, height), shortest / min(width, height))
    return width * shrink, height * shrink
