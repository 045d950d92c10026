"""A ledger with rows in it, a configuration for it, and an export that agrees with it."""

import json
from pathlib import Path

from infway.kernel.clock import system_clock
from infway.ledger.rows import Row, tags_text

NOW = system_clock().wall()
USUAL = Row(
    "r1", 0, NOW, "me", "gpt-4o", "one", "ok", 200, 1, 1000, 50, 9, 0, 7 * 10**9, 0, 1, 100, 900,
    organisation="acme", project="=1+1", tags=tags_text(("x", "y")), native="gpt-4o",
)  # fmt: skip
ROWS = [
    USUAL,
    USUAL._replace(attempt=1),
    USUAL._replace(request="r2", outcome="stream_cut"),
    USUAL._replace(request="r2", attempt=1, outcome="stream_cut"),
    USUAL._replace(request="r3", at=NOW - 90_000),
    USUAL._replace(request="r4", model="other", cost=1, key="you", project="", tags="[]"),
]
CONFIG = """
upstreams: [{{name: one, vendor: openai, key: sk-of-this-test-0123456789, models: [gpt-4o]}}]
organisations: [{{name: acme, budgets: [{{usd: 1000}}]}}]
keys: [{{name: me, key: abcdefghijklmnopqrstuvwxyz, budgets: [{{usd: "3.5", per: total}}]}}]
accounts: {{pepper: Zk3v9QpL7xT2mN8wR4bY6cJ1hG5dF0sA}}
{store}
"""


def exported(tmp_path: Path, requests: int, model: str = "gpt-4o-2024-08-06") -> str:
    """Write what OpenAI says of two days; return the file."""
    day = NOW // 86_400 * 86_400
    result = {
        "input_tokens": 1000 * requests, "output_tokens": 50 * requests,
        "input_cached_tokens": 9 * requests, "num_model_requests": requests, "model": model,
        "api_key_id": "key_1",
    }  # fmt: skip
    bucket = {"start_time": day - 86_400, "end_time": day + 86_400, "results": [result]}
    path = tmp_path / "export.json"
    path.write_text(json.dumps({"object": "page", "data": [bucket]}))
    return str(path)
