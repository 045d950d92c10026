"""What of a configuration holds from a start to the end of the process: no reload changes it."""

from collections.abc import Mapping

from infway.settings.models import Settings


def fixed(settings: Settings) -> Mapping[str, object]:
    """Return the values that are used at a start only, by their names in the file."""
    server, ledger, logs = settings.server, settings.ledger, settings.logs
    return {
        "server.host": server.host,
        "server.port": server.port,
        "server.workers": server.workers,
        "server.docs": server.docs,
        "server.grace": server.grace,
        "server.drain": server.drain,
        "server.proxy_headers": server.proxy_headers,
        "server.hosts": server.hosts,
        "server.connections": server.connections,
        "server.connections_per_address": server.connections_per_address,
        "server.head_timeout": server.head_timeout,
        "server.body_timeout": server.body_timeout,
        "server.idle_timeout": server.idle_timeout,
        "server.write_timeout": server.write_timeout,
        "server.http": server.http,
        "ledger.path": ledger.path,
        "ledger.queue": ledger.queue,
        "logs.level": logs.level,
        "logs.format": logs.format,
        "state.redis": settings.state.redis,
        "store.url": settings.store.url,
        "accounts.pepper": settings.accounts.pepper,
        "admin.host": settings.admin.host,
        "admin.port": settings.admin.port,
    }


def needs_restart(running: Settings, read: Settings) -> list[str]:
    """Return the names of what was read and differs from what runs, and will until a restart."""
    now = fixed(running)
    return [name for name, value in fixed(read).items() if value != now[name]]
