"""Gateways whose keys have limits."""

from collections.abc import Callable

from tests.api.caller import KEY, Heard, chat_body
from tests.conftest import Gateway, Start, Tree

from infway.app import Parts

NAMES = ("limit", "remaining", "reset")


async def limited(
    start: Start,
    *says: object,
    more: Tree | None = None,
    parts_of: Callable[[Parts], Parts] | None = None,
    **plan: object,
) -> Gateway:
    """Start a gateway whose one key has a plan. `parts_of`: as for `start`."""
    tree: Tree = {
        "keys": [{"name": "tests", "key": KEY, "plan": "small"}],
        "plans": {"small": plan},
        **(more or {}),
    }
    if parts_of is not None:
        tree["parts_of"] = parts_of
    return await start(*says, **tree)


def told(heard: Heard, what: str = "requests") -> tuple[int, int, int] | None:
    """Return limit, remaining and reset as a reply told them, None where it told none."""
    said = [heard.header(f"x-ratelimit-{name}-{what}") for name in NAMES]
    if said == [None, None, None]:
        return None
    limit, remaining, reset = (int(one or "") for one in said)
    return limit, remaining, reset


async def chats(gateway: Gateway, count: int, **fields: object) -> list[int]:
    """Ask so often, one after the other; return the statuses."""
    heard = [await gateway.post("/v1/chat/completions", chat_body(**fields)) for _ in range(count)]
    return [one.status for one in heard]
