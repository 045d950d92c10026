"""The kinds of metrics: how each is counted in the tallies, and how it stands on the page."""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate

from prometheus_client.metrics_core import Metric

from infway.telemetry.tallies import Key, Tallies

_SUM = "sum"
Numbers = dict[Key, float]


class Family(ABC):
    """One metric of some kind. `text` says what it is, `labels` are the names of its labels."""

    kind: str

    def __init__(self, tallies: Tallies, name: str, text: str, labels: Sequence[str]) -> None:
        self.name = name
        self._text = text
        self._labels = labels
        self._tallies = tallies
        self._key = (name,)
        tallies.name(name, len(labels))

    @abstractmethod
    def merge(self, mine: float, theirs: float, *, lives: bool) -> float:
        """Return the number of two processes, of which the other may have died."""

    @abstractmethod
    def show(self, metric: Metric, numbers: Numbers) -> None:
        """Write the samples; `numbers` are those of this metric, without its name."""

    def collect(self, numbers: Numbers) -> Metric:
        """Return what the page shows."""
        metric = Metric(self.name, self._text, self.kind)
        self.show(metric, numbers)
        return metric

    def _said(self, values: Iterable[str]) -> dict[str, str]:
        return dict(zip(self._labels, values, strict=True))


class Counter(Family):
    """What only grows. One without labels is there from the start."""

    kind = "counter"

    def __init__(self, tallies: Tallies, name: str, text: str, labels: Sequence[str]) -> None:
        super().__init__(tallies, name, text, labels)
        if not labels:
            self.inc(0)

    def inc(self, amount: float = 1.0, values: Key = ()) -> None:
        """Count `amount` more, of these labels' values."""
        self._tallies.add(self._key + values, amount)

    def merge(self, mine: float, theirs: float, *, lives: bool) -> float:  # noqa: ARG002 - who died has counted all the same
        """Return the sum."""
        return mine + theirs

    def show(self, metric: Metric, numbers: Numbers) -> None:
        """Write a sample for each of the labels' values."""
        for values, number in numbers.items():
            metric.add_sample(f"{self.name}_total", self._said(values), number)


class Histogram(Family):
    """How often something was how large; each number in `bounds` is the end of a bucket."""

    kind = "histogram"
    bounds: Sequence[float] = ()

    @cached_property
    def _buckets(self) -> list[str]:
        return [*(str(float(bound)) for bound in self.bounds), "+Inf"]

    def observe(self, number: float, values: Key = ()) -> None:
        """Count one more of this size."""
        key = self._key + values
        self._tallies.add((*key, self._buckets[bisect_left(self.bounds, number)]), 1.0)
        self._tallies.add((*key, _SUM), number)

    def merge(self, mine: float, theirs: float, *, lives: bool) -> float:  # noqa: ARG002 - who died has counted all the same
        """Return the sum."""
        return mine + theirs

    def show(self, metric: Metric, numbers: Numbers) -> None:
        """Write buckets that hold all below them as well, how many there were, and their sum."""
        seen = dict.fromkeys(key[:-1] for key in numbers)
        if not self._labels:
            seen[()] = None
        for values in seen:
            said = self._said(values)
            counts = accumulate(numbers.get((*values, one), 0.0) for one in self._buckets)
            total = 0.0
            for bucket, total in zip(self._buckets, counts, strict=True):
                metric.add_sample(f"{self.name}_bucket", {**said, "le": bucket}, total)
            metric.add_sample(f"{self.name}_count", said, total)
            metric.add_sample(f"{self.name}_sum", said, numbers.get((*values, _SUM), 0.0))


class Gauge(Family):
    """What is so at the moment, and is asked for then: of all that live the sum, or the most."""

    kind = "gauge"
    adds = False

    def __init__(self, tallies: Tallies, name: str, text: str, labels: Sequence[str]) -> None:
        super().__init__(tallies, name, text, labels)
        self._asked: dict[Key, Callable[[], float]] = {} if labels else {(): lambda: 0.0}

    def watch(self, ask: Callable[[], float], values: Key = ()) -> None:
        """Ask for the number of these labels' values from now on."""
        self._asked[values] = ask

    def forget(self) -> None:
        """Ask for nothing any more."""
        self._asked.clear()

    def publish(self) -> None:
        """Let others read what is so now."""
        for values, ask in self._asked.items():
            self._tallies.put(self._key + values, float(ask()))

    def merge(self, mine: float, theirs: float, *, lives: bool) -> float:
        """Return the sum or the most of those that live."""
        if not lives:
            return mine
        return mine + theirs if self.adds else max(mine, theirs)

    def show(self, metric: Metric, numbers: Numbers) -> None:
        """Write a sample for all that is asked here."""
        for values in self._asked:
            metric.add_sample(self.name, self._said(values), numbers.get(values, 0.0))


def merged(families: Mapping[str, Family], tallies: Tallies) -> dict[str, Numbers]:
    """Return the numbers of all processes by the metric's name and without it."""
    found: dict[str, Numbers] = {name: {} for name in families}
    for key, number in tallies.own().items():
        if key[0] in found:
            found[key[0]][key[1:]] = number
    for one in tallies.others():
        for key, number in one.numbers.items():
            family = families.get(key[0])
            if family is not None:
                mine = found[key[0]].get(key[1:], 0.0)
                found[key[0]][key[1:]] = family.merge(mine, number, lives=one.lives)
    return found
