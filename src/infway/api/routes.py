"""Where requests go that meet no web framework: exact paths, and paths that name the model."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from infway.accounts.keys import Keyring
from infway.api.errors import Header
from infway.api.exchange import Exchange
from infway.api.line import Rules
from infway.kernel.errors import GatewayError
from infway.pipeline.admit import Visits

# Prefixes of paths that name the model: the path beats the body.
MODEL_PATHS = ("/openai/deployments/", "/engines/", "/v1/engines/")
Standing = Callable[[str, bytes, Sequence[Header]], Awaitable[list[Header]]]
_WORD = re.compile(r"\\\{\w+\\\}")  # in braces, escaped


class Endpoint(Protocol):
    """What answers the requests of some paths.

    `id_headers`: the headers in which its clients look for a request's id. `visits`: what keeps to
    the limits of keys.
    """

    id_headers: tuple[bytes, ...]
    keyring: Keyring
    rules: Rules
    visits: Visits

    async def answer(self, exchange: Exchange, path_model: str | None) -> None:
        """Answer one exchange; raises GatewayError where the edge has to."""
        ...

    def refusal(self, error: GatewayError) -> bytes:
        """Return the body of an error in the caller's dialect."""
        ...


class Desk(NamedTuple):
    """What the edge does for each request of one connection.

    `turn` makes an exchange of its own of it; `refused` is told the code of every error.
    """

    turn: Callable[[Exchange], Exchange]
    refused: Callable[[str], None]


@runtime_checkable
class Connectable(Protocol):
    """What serves WebSockets."""

    async def connect(self, exchange: Exchange, desk: Desk) -> None:
        """Serve one connection; raises GatewayError where it is not accepted."""
        ...


class Family(NamedTuple):
    """The paths of one endpoint. All of them take POST.

    `tail`: how a path ends that names the model, after one of `starts`. A word in braces in a
    start stands for one part of the path. `never`: what may not stand before the tail.
    """

    paths: frozenset[str]
    tail: str = ""
    starts: tuple[str, ...] = MODEL_PATHS
    never: str = ""

    def templates(self) -> list[str]:
        """Return the paths that name the model, with `{model}` in its place."""
        return [f"{start}{{model}}{self.tail}" for start in self.starts] if self.tail else []


def family(*paths: str, tail: str = "", starts: tuple[str, ...] = MODEL_PATHS) -> Family:
    """Return the paths of one endpoint."""
    return Family(frozenset(paths), tail, starts)


def everywhere(path: str) -> Family:
    """Return a path of OpenAI's at every base URL that clients use, and with the model in it."""
    return family(f"/v1{path}", path, f"/api/v1{path}", tail=path)


class Routes:
    """Finds the endpoint of a path; of several that name the model, the first counts.

    `standing`: tells whoever asks elsewhere, by the path, the query and the headers, where the
    limits of the key stand.
    """

    def __init__(
        self, served: Sequence[tuple[Family, Endpoint]], standing: Standing | None = None
    ) -> None:
        self.standing = standing
        self._exact: Mapping[str, Endpoint] = {
            path: endpoint for theirs, endpoint in served for path in theirs.paths
        }
        self._named = [
            (theirs.tail, _named_by(theirs), endpoint) for theirs, endpoint in served if theirs.tail
        ]

    def find(self, path: str) -> tuple[Endpoint | None, str | None]:
        """Return the endpoint of a path, and the model that the path names."""
        endpoint = self._exact.get(path)
        if endpoint is not None:
            return endpoint, None
        for tail, pattern, named in self._named:
            found = pattern.fullmatch(path) if path.endswith(tail) else None
            if found is not None:
                return named, found["model"]
        return None, None


def _named_by(theirs: Family) -> re.Pattern[str]:
    """Return what finds the model in a path; the first start that fits counts."""
    starts = "|".join(_WORD.sub("[^/]+", re.escape(start)) for start in theirs.starts)
    before = f"(?<!{re.escape(theirs.never)})" if theirs.never else ""
    return re.compile(f"(?:{starts})(?P<model>.+){before}{re.escape(theirs.tail)}", re.DOTALL)
