"""What a start says: what was found, where to reach it, with which key, and a line to paste."""

import os
from collections import Counter

from infway import __version__
from infway.embedded import Embedded
from infway.serving import EMBEDDED, Plan, url_of

_NARROW = 24
_ASKED = "Say hello in one short sentence."


def banner(planned: Plan) -> str:
    """Return the text, for a terminal."""
    lines = [f"infway {__version__}", "", "Upstreams", *_upstreams(planned)]
    found = planned.found
    notes = [*_others(planned), *planned.warnings, *(found.unusable if found is not None else ())]
    lines += ["", "Notes", *(f"  {note}" for note in notes)] if notes else []
    lines += ["", f"Base URL   {planned.url}/v1", f"Key        {_key(planned)}"]
    lines += [f"API page   {planned.url}/docs"] if planned.settings.server.docs else []
    admin = planned.settings.admin
    lines += [f"Admin API  {url_of(admin.host, admin.port)}/admin/v1"] if admin.port else []
    return "\n".join([*lines, "", "Try it:", "", _curl(planned), ""])


def _others(planned: Plan) -> list[str]:
    """Return a note of each gateway that runs from the same data folder."""
    data = planned.options.data
    return [
        f"another gateway runs from {data.path}: process {one.pid} at {one.url}."
        " `infway health` and `infway reload` speak to all of them"
        for one in data.gateways()
        if one.pid != os.getpid()
    ]


def _upstreams(planned: Plan) -> list[str]:
    stocked = planned.inventory.all_offers
    count = Counter(offer.upstream.name for offer in stocked)
    origins = {}
    if planned.found is not None:
        origins = {one.vendor.name: one.origin for one in planned.found.upstreams}
    lines: list[str] = []
    for upstream in planned.inventory.upstreams:
        models = count[upstream.name]
        origin = origins.get(upstream.name, "")
        told = f"{models} model{'' if models == 1 else 's'}"
        if upstream.dialect == "sandbox":
            origin = "simulated"
        elif upstream.name == EMBEDDED:
            origin = f"{Embedded.model}, on this machine"
        lines.append(f"  {upstream.name:<{_NARROW}} {told:<12} {origin}".rstrip())
    return lines or ["  none: every request will be refused"]


def _key(planned: Plan) -> str:
    if planned.made_key is not None:
        return f"{planned.made_key}   (kept in {planned.options.data.key_file})"
    names = ", ".join(key.name for key in planned.settings.keys)
    return f"as configured: {names}"


def _curl(planned: Plan) -> str:
    key = planned.made_key
    if key is None:
        from_environment = any(one.name == "INFWAY_API_KEY" for one in planned.settings.keys)
        key = "$INFWAY_API_KEY" if from_environment else "YOUR_KEY"
    body = f'{{"model": "auto", "messages": [{{"role": "user", "content": "{_ASKED}"}}]}}'
    return (
        f"curl {planned.url}/v1/chat/completions \\\n"
        f'  -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )
