"""Errors of the HTTP client renamed to faults: one table, one context manager."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import http_exceptions

from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Failure, Fault

# The first row that fits names the fault: narrow classes stand before the wide ones.
_NAMES: tuple[tuple[type[BaseException], Fault], ...] = (
    (aiohttp.ClientConnectorDNSError, Fault.DNS_ERROR),
    (aiohttp.ClientConnectorCertificateError, Fault.TLS_ERROR),
    (aiohttp.ClientSSLError, Fault.TLS_ERROR),
    (aiohttp.ConnectionTimeoutError, Fault.CONNECT_TIMEOUT),
    (aiohttp.ClientConnectorError, Fault.CONNECT_REFUSED),
    (aiohttp.ServerDisconnectedError, Fault.RESET_BEFORE_HEADERS),
    (aiohttp.ClientPayloadError, Fault.TRUNCATED_BODY),
    (aiohttp.ClientResponseError, Fault.INVALID_JSON),
    (http_exceptions.HttpProcessingError, Fault.INVALID_JSON),
    (aiohttp.ClientOSError, Fault.RESET_BEFORE_HEADERS),
    (aiohttp.ClientError, Fault.RESET_BEFORE_HEADERS),
    (asyncio.IncompleteReadError, Fault.TRUNCATED_BODY),
    (ConnectionError, Fault.RESET_BEFORE_HEADERS),
)
_FOREIGN = tuple(kind for kind, _ in _NAMES)

# What the same break is called once the body has begun.
_LATE = {Fault.RESET_BEFORE_HEADERS: Fault.TRUNCATED_BODY}


def fault_of(error: BaseException) -> Fault:
    """Return the fault that a client's exception means."""
    return next(fault for kind, fault in _NAMES if isinstance(error, kind))


@contextmanager
def renamed_faults() -> Iterator[None]:
    """Turn the client's exceptions while a body is read into UpstreamFailed."""
    try:
        yield
    except _FOREIGN as error:
        fault = fault_of(error)
        raise UpstreamFailed(Failure(_LATE.get(fault, fault))) from error


FOREIGN = _FOREIGN
