"""A configuration that asks nobody but the sandbox, and what a command says of it."""

import json
from pathlib import Path
from typing import Any

from tests.commands.conftest import Ran

CONFIG = """
sandbox: true
discover: {environment: false, local: false}
plans: {free: {requests_per_minute: 20}}
keys: [{name: team, key: 0123456789abcdefgh, plan: free}]
"""


def written(folder: Path) -> str:
    """Write the configuration; return the option that names it."""
    path = folder / "infway.yaml"
    path.write_text(CONFIG)
    return f"--config={path}"


def said(ran: Ran) -> Any:
    """Return the JSON that a command that went well has said."""
    assert ran.code == 0, ran.err
    return json.loads(ran.out)
