"""How often an address presented keys that nobody has: beyond a number it is told to wait.

The key is looked up all the same: one that is valid always passes, so that a client with a wrong
key locks out nobody who comes from the same address. Looking up is one digest, cheaper than any
reply, and tells nothing by its time; what is known of a key by its public part alone would.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, ip_address

from infway.kernel.errors import GatewayError, UnavailableError

Client = Sequence[object] | None
"""Host and port of whoever asks, as the server has it: behind a proxy that it believes, the caller's."""

Told = Callable[[GatewayError, Client], GatewayError]
"""Counts an error, and returns what this client is told of it."""

WRONG = "invalid_api_key"
_WINDOW = 60.0  # seconds
_ADDRESSES = 10_000  # that are remembered; the one that failed longest ago is forgotten first
_LONGEST = 64  # characters of what is no address of IP
_NETWORK = 64  # bits of an IPv6 address that one customer has all of


class Guesses:
    """Wrong keys by address, `most` in a minute; 0: any number. `now`: monotonic seconds."""

    def __init__(self, now: Callable[[], float], most: int = 0) -> None:
        self.most = most
        self._now = now
        self._spent: OrderedDict[str, float] = OrderedDict()  # until when all is free again

    def instead_of(self, error: GatewayError, client: Client) -> GatewayError:
        """Return what a client is told in place of an error: to wait, where it is one key too many."""
        if error.code != WRONG or not self.most:
            return error
        now, part, address = self._now(), _WINDOW / self.most, address_of(client)
        until = max(now, self._spent.get(address, now)) + part
        wait = until - now - _WINDOW
        if wait > part / 2:  # sums of parts are not exact
            message = "Too many wrong keys came from this address: wait."
            return UnavailableError(429, "rate_limit_exceeded", message, retry_after=wait)
        self._spent[address] = until
        self._spent.move_to_end(address)
        if len(self._spent) > _ADDRESSES:
            self._spent.popitem(last=False)
        return error


def address_of(client: Client) -> str:
    """Return what a client is counted by: its address, of IPv6 the network that is one customer's."""
    host = str(client[0])[:_LONGEST] if client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(int(address) >> _NETWORK)
