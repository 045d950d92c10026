"""Three accounts of the same requests, laid side by side."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.crash.far import GAP, PROMPT, Sent
from tests.crash.near import Read
from tests.crash.rig import model_of, name_of

from infway.database import Database
from infway.ledger.rows import Row

_EARLY, _LATE = (
    0.5,
    20.0,
)  # seconds that a row may be dated behind, or before, what the upstream saw
_BEHIND = 256 + round(2.25 / GAP)  # tokens that a checkpoint may be behind, at the upstream's pace
_LOST = ("interrupted", "client_gone")


@dataclass
class Verdict:
    """What came of it; everything but the counts at the top should be empty."""

    requests: int = 0
    reached: int = 0
    interrupted: int = 0
    furthest_behind: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.twice or self.unsettled or self.wrong)

    def told(self) -> str:
        faults = {"lost": self.lost, "twice": self.twice, "unsettled": self.unsettled}
        said = ", ".join(f"{len(found)} {name}" for name, found in faults.items())
        examples = [*self.lost, *self.twice, *self.unsettled, *self.wrong][:10]
        return (
            f"{self.requests} requests, {self.reached} attempts at the upstream, "
            f"{self.interrupted} interrupted: {said}, {len(self.wrong)} wrong; "
            f"at most {self.furthest_behind} tokens behind\n" + "\n".join(examples)
        ).strip()


def rows_in(database: Database) -> list[Row]:
    """Read the whole ledger."""
    columns = ", ".join(Row._fields)
    found = database.read(f"SELECT {columns} FROM entries ORDER BY request, attempt")
    return [Row(*row) for row in found]


def reconcile(sent: Iterable[Sent], read: Iterable[Read], rows: Sequence[Row]) -> Verdict:
    """Compare."""
    verdict = Verdict()
    whole: dict[str, list[Row]] = defaultdict(list)
    attempts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        (attempts if row.attempt else whole)[row.request].append(row)
    _check_sums(verdict, whole, attempts)
    alike: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for tried in attempts.values():
        for row in tried:
            alike[row.model, row.key].append(row)
    reads = {one.number: one for one in read}
    verdict.requests = len(reads)
    told = {one.id for one in reads.values() if one.id}
    for one in sent:
        verdict.reached += 1
        same, read_of = alike[model_of(one.number), name_of(one.number)], reads.get(one.number)
        row = _row_of(verdict, one, read_of, told, same)
        if row is not None:
            same.remove(row)
            _match(verdict, one, read_of, row)
    for place, left in alike.items():
        # a row without a call: it was killed in between, or its caller had gone
        for row in left:
            if row.outcome not in _LOST or row.completion_tokens:
                verdict.wrong.append(f"{place}: a row, and no call: {row}")
    for one in reads.values():
        if one.whole and one.id and one.id not in whole:
            verdict.lost.append(f"answered, and no row: {one}")
    return verdict


def _check_sums(
    verdict: Verdict, whole: dict[str, list[Row]], attempts: dict[str, list[Row]]
) -> None:
    for request in whole.keys() | attempts.keys():
        sums, tried = whole.get(request, []), attempts.get(request, [])
        if len(sums) != 1 or len(tried) != 1:
            verdict.unsettled.append(f"{request}: {len(sums)} sums of {len(tried)} attempts")
        elif sums[0][9:16] != tried[0][9:16]:
            verdict.wrong.append(f"{request}: {sums[0]} is not the sum of {tried[0]}")


def _row_of(
    verdict: Verdict, sent: Sent, read: Read | None, told: set[str], rows: Sequence[Row]
) -> Row | None:
    """Return the row of a call: that of the id its caller was told, else the nearest that nobody was.

    A row without a call may be near as well, of a request that was killed before it was sent.
    """
    if read is not None and read.id:
        found = [row for row in rows if row.request == read.id]
    else:
        found = [
            row for row in rows if row.request not in told and -_EARLY < sent.at - row.at < _LATE
        ]
        found.sort(key=lambda row: abs(sent.at - row.at))
    if not found:
        verdict.lost.append(f"no row of {sent}, read as {read}")
        return None
    settled = [row for row in found if row.outcome not in _LOST]
    if len(settled) > 1:
        verdict.twice.append(f"{sent}: {settled}")
    return found[0]


def _match(verdict: Verdict, sent: Sent, read: Read | None, row: Row) -> None:
    if row.outcome == "ok":
        if (row.prompt_tokens, row.completion_tokens) != (PROMPT, sent.tokens) or not sent.whole:
            verdict.wrong.append(f"{sent}: {row}")
    elif row.outcome in _LOST:
        verdict.interrupted += row.outcome == "interrupted"
        behind = sent.tokens - row.completion_tokens
        if row.outcome == "interrupted" and not sent.whole:
            verdict.furthest_behind = max(verdict.furthest_behind, behind)
        if behind < 0 or (behind > _BEHIND and not sent.whole) or (read is not None and read.whole):
            verdict.wrong.append(f"{sent}, read as {read}: {row}")
    else:
        verdict.wrong.append(f"{sent}: {row}")
