"""CPU per request of each family of endpoints beside chat's, in one run.

All are served by the same gateway from upstreams of OpenAI's dialect, so that what is compared is
reading a request and writing a reply in the caller's dialect. Rounds are interleaved, and a figure
is the median of the rounds' ratios.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from bench.figures import Outcome
from bench.load import Load, measure, write_request
from bench.payloads import MODEL, SYSTEM, USER
from bench.rig import KEY, Rig
from bench.systems import families_gateway

CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of request. `key`: of its figure; `base`: of the chat that it is compared with."""

    key: str
    path: str
    body: Mapping[str, object]
    base: str = "chat"


_TALK = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}]
_TEXTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "chat": ("/v1/chat/completions", {"model": MODEL, "messages": _TALK}),
    "completions": ("/v1/completions", {"model": MODEL, "prompt": f"{SYSTEM} {USER}"}),
    "responses": (
        "/v1/responses",
        {"model": MODEL, "instructions": SYSTEM, "input": USER, "store": False},
    ),
    "messages": (
        "/v1/messages",
        {"model": MODEL, "max_tokens": 100, "system": SYSTEM, "messages": _TALK[1:]},
    ),
}
_GEMINI: Mapping[str, object] = {
    "systemInstruction": {"parts": [{"text": SYSTEM}]},
    "contents": [{"role": "user", "parts": [{"text": USER}]}],
}
_AT = f"/v1beta/models/{MODEL}"
FAMILIES: tuple[Family, ...] = (
    *(Family(name, path, body) for name, (path, body) in _TEXTS.items()),
    Family("gemini", f"{_AT}:generateContent", _GEMINI),
    *(
        Family(f"{name}_stream", path, {**body, "stream": True}, "chat_stream")
        for name, (path, body) in _TEXTS.items()
    ),
    Family("gemini_stream", f"{_AT}:streamGenerateContent?alt=sse", _GEMINI, "chat_stream"),
    Family("embeddings", "/v1/embeddings", {"model": "vectors", "input": [SYSTEM, USER]}),
    Family("token_counter", "/utils/token_counter", {"model": MODEL, "messages": _TALK}),
)


def families(rig: Rig) -> Outcome:
    """Every family; streams are compared with streams of chats."""
    spent: dict[str, list[float]] = {one.key: [] for one in FAMILIES}
    with families_gateway(rig) as infway:
        loads = {
            one.key: Load(
                write_request(rig.folder, one.key, json.dumps(one.body), KEY),
                CONNECTIONS,
                rig.cores.load,
                one.path,
            )
            for one in FAMILIES
        }
        for number in range(rig.plan.rounds + 1):  # the first only warms up
            for one in FAMILIES:
                took = measure(infway, loads[one.key], max(2, rig.plan.seconds // 2))
                if number:
                    spent[one.key].append(took.cpu_us)
    values = {f"{key}_vs_chat": _ratio(key, spent) for key in spent}
    costs = ", ".join(f"{key} {median(found):.0f}" for key, found in spent.items())
    del values["chat_vs_chat"], values["chat_stream_vs_chat"]
    return Outcome(values, (f"CPU of the families in us: {costs}",))


def _ratio(key: str, spent: Mapping[str, list[float]]) -> float:
    base = next(one.base for one in FAMILIES if one.key == key)
    pairs = zip(spent[key], spent[base], strict=True)
    return median(own / chat for own, chat in pairs)
