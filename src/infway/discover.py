"""A start without configuration: vendors' keys in the environment, model servers on this machine.

Only loopback addresses are asked, never infway's own port, and no key is ever sent.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from infway.kernel.errors import UpstreamFailed
from infway.providers.vendors import VENDORS, Vendor
from infway.upstream.http1 import Reply
from infway.upstream.pool import Origin, Pool

PATIENCE = 0.4  # seconds a local server has for its list: a live one takes milliseconds
LARGEST_LIST = 2**20  # bytes
_REQUEST = "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: infway\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Discovered:
    """One upstream that can be used. `models` None: all that the vendor's catalogue lists.

    `origin`: the variable that holds the key, or the address that answered.
    """

    vendor: Vendor
    origin: str
    key: str | None = field(default=None, repr=False)
    models: tuple[str, ...] | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, and why something that is there cannot be used; sentences for a banner."""

    upstreams: tuple[Discovered, ...] = ()
    unusable: tuple[str, ...] = ()


class _Model(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Model] | None = None


_read_list = msgspec.json.Decoder(_List).decode


def discover(
    environment: Mapping[str, str], *, keys: bool = True, local: bool = True, own_port: int = 0
) -> Found:
    """Look for both; `own_port` is the port infway itself listens on. Takes at most PATIENCE."""
    found = from_environment(environment) if keys else Found()
    servers = asyncio.run(local_servers(VENDORS.values(), own_port)) if local else ()
    return Found(found.upstreams + servers, found.unusable)


def from_environment(environment: Mapping[str, str]) -> Found:
    """Return a vendor for each key variable that is set; nothing is sent anywhere."""
    upstreams: list[Discovered] = []
    unusable: list[str] = []
    for vendor in VENDORS.values():
        name = next((name for name in vendor.env if environment.get(name, "").strip()), None)
        if name is None:
            continue
        if why := _unusable(vendor):
            unusable.append(f"{name} is set, but {why}")
        else:
            region = next(filter(None, map(environment.get, vendor.region_env)), None)
            key = environment[name].strip()
            upstreams.append(Discovered(vendor, name, key, region=region))
    return Found(tuple(upstreams), tuple(dict.fromkeys(unusable)))


def _unusable(vendor: Vendor) -> str | None:
    if vendor.base_url is None or vendor.own_names:
        return f"{vendor.title} also needs a base_url and models in a configuration file"
    if vendor.catalogue is None:
        return f"{vendor.title} needs models and prices in a configuration file"
    return None


async def local_servers(
    vendors: Iterable[Vendor], own_port: int, patience: float = PATIENCE
) -> tuple[Discovered, ...]:
    """Ask every local port for its models at once; return those that answered with any in time."""
    rows: dict[int, Vendor] = {}
    for vendor in vendors:
        if vendor.port is not None and vendor.port != own_port:
            rows.setdefault(vendor.port, vendor)
    pool = Pool(asyncio.get_running_loop().time)
    try:
        answers = await asyncio.gather(*(_ask(pool, one, patience) for one in rows.values()))
    finally:
        pool.close()
    return tuple(answer for answer in answers if answer)


async def _ask(pool: Pool, vendor: Vendor, patience: float) -> Discovered | None:
    try:
        async with asyncio.timeout(patience):
            listed = _read_list(await _models(pool, vendor, patience))
    except (UpstreamFailed, TimeoutError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    models = tuple(dict.fromkeys(model.id for model in listed.data or () if model.id))
    return Discovered(vendor, vendor.base_url or "", None, models) if models else None


async def _models(pool: Pool, vendor: Vendor, patience: float) -> bytes:
    """Return the list of models as it was sent, nothing where it was refused."""
    parts = urlsplit(f"{vendor.base_url}{vendor.models_path}")
    origin = Origin(parts.hostname or "", parts.port or 80, is_tls=False)
    connection = await pool.connect(origin, patience)
    incoming = connection.post(_REQUEST.format(path=parts.path, host=parts.netloc).encode())
    while not incoming.status and incoming.fault is None:
        await incoming.changed()
    return await Reply(incoming).read(LARGEST_LIST) if incoming.status == 200 else b""
