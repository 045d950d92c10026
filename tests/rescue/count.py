"""Many requests whose answers break off, each looked at: whole, ended with an error, or wrong."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from tests.api.caller import BEARER, JSON, Heard, chat_body, line_to
from tests.api.serving import served
from tests.conftest import settled
from tests.rescue.plan import plan_of
from tests.rescue.upstream import Upstreams

from infway.app import App, parts
from infway.configured import tuning_of
from infway.ims.health import Health
from infway.ims.rank import Router
from infway.ims.tuning import Trip
from infway.ledger.sqlite import SqliteLedger

_PRICES = {"input_price": "1", "output_price": "2"}
_LIMITS = {"connect": 2, "first_token": 20, "idle": 0.3, "total": 60}
_NEVER = Trip(streak=1e9, volume=10**9)  # the first upstream breaks every answer off
_DIALECTS = {"plain": "ooo", "prefill": "ooo", "claude": "aaa", "crossed": "oao"}


@dataclass
class Count:
    """`ends`: by the model of the request and what its caller got; `wrong`: numbers of requests."""

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[int] = field(default_factory=list)

    @property
    def broke(self) -> int:
        """How many answers broke off after something of them was passed on."""
        return sum(n for (_, end), n in self.ends.items() if end not in ("unharmed", "refused"))

    @property
    def finished(self) -> int:
        """How many of those were finished."""
        rescued = ("splice", "prefill", "end mark")
        return sum(n for (_, end), n in self.ends.items() if end in rescued)

    def lines(self) -> list[str]:
        """Return what came of them, a line for each kind of offers."""
        told = []
        for model in sorted({model for model, _ in self.ends}):
            parts = {end: n for (one, end), n in sorted(self.ends.items()) if one == model}
            told.append(f"{model}: " + ", ".join(f"{end} {n}" for end, n in parts.items()))
        share = self.finished / self.broke if self.broke else 1.0
        told.append(f"broke off {self.broke}, finished {self.finished} ({share:.1%})")
        told.append(f"wrong texts {len(self.wrong)} {self.wrong[:20]}")
        return told


def _settings(port: int) -> dict[str, object]:
    upstreams = []
    for place, name in enumerate(("one", "two", "three")):
        url = f"http://127.0.0.1:{port}/{name}"
        said: dict[str, list[dict[str, object]]] = {"o": [], "a": []}
        for model, dialects in _DIALECTS.items():
            row: dict[str, object] = {"id": model, "native": f"native-{model}", **_PRICES}
            if model == "prefill":
                row["capabilities"] = ["prefill"]
            if dialects[place] == "a":
                row["native"] = "claude-3-5-haiku-20241022"
            said[dialects[place]].append(row)
        more = {"timeouts": _LIMITS, "key": "key-of-an-upstream"}
        upstreams.append(
            {"name": name, "vendor": "custom", "base_url": f"{url}/v1", "models": said["o"], **more}
        )
        if said["a"]:
            claude = {"vendor": "anthropic", "base_url": url, "models": said["a"]}
            upstreams.append({"name": f"{name}-a", **claude, **more})
    attempts = {"max": 4, "backoff_base": 0.001, "retry_floor": 1000}
    return {"upstreams": upstreams, "attempts": attempts}


async def count_cuts(number: int, at_once: int, folder: Path, first: int = 0) -> Count:
    """Ask `number` times, the requests numbered from `first`; return what came of them."""
    up, count = Upstreams(), Count()
    server = await up.open()
    settings, inventory = settled(_settings(up.port))
    app = App(settings, inventory, parts(SqliteLedger(folder / "cuts.db"), 1))
    tuning = replace(tuning_of(settings), trip=_NEVER)
    health = Health(inventory.offers, tuning, Random(1))
    app.gateway.router = Router(app.gateway.router.catalog, health, tuning, Random(1))
    seeds = iter(range(first, first + number))
    try:
        async with served(app.front) as port, asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(_ask_on(port, seeds, up, count))
    finally:
        server.close()
    return count


async def _ask_on(port: int, seeds: Iterator[int], up: Upstreams, count: Count) -> None:
    for seed in seeds:
        plan = plan_of(seed)
        body = chat_body(
            model=plan.model,
            messages=[{"role": "user", "content": f"seed-{seed} tell me"}],
            stream=True,
            provider={"order": ["one", "one-a", "two", "two-a", "three", "three-a"]},
        )
        async with line_to(port) as line:
            line.send("POST", "/v1/chat/completions", (BEARER, JSON), json.dumps(body).encode())
            heard = await asyncio.wait_for(line.hear(), 60)
        end = _end(heard, up.texts.pop(seed, []))
        count.ends[plan.model, end] += 1
        if end == "wrong":
            count.wrong.append(seed)


def _end(heard: Heard, texts: list[str]) -> str:
    """Return what a caller got, whose request was answered with these whole texts."""
    if heard.status != 200:
        return "refused"
    chunks = heard.chunks
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    finishes = [c["finish_reason"] for c in choices if c["finish_reason"]]
    if heard.frames[-1] != b"data: [DONE]" or len(finishes) != 1:
        return "wrong"
    if "error" in chunks[-1]:
        return "error" if any(whole.startswith(text) for whole in texts) else "wrong"
    if text not in texts or finishes != ["stop"]:
        return "wrong"
    return str(chunks[-1].get("x_rescue", {"tactic": "unharmed"})["tactic"])
