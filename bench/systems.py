"""The three parts set up on the stage: the mock upstream, nginx, the gateway."""

import contextlib
from collections.abc import Generator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from string import Template

from bench.load import Target
from bench.payloads import PATH, chat_body
from bench.ports import free_port
from bench.processes import running, until
from bench.rig import ENVIRONMENT, KEY, ROOT, Rig, Upstream
from bench.tools import nginx_path
from infway.providers.vendors import VENDORS

READY_S = 30.0

_NGINX = Template("""\
daemon off; worker_processes 1; pid $folder/nginx.pid; error_log stderr warn;
worker_rlimit_nofile 65536;
events { worker_connections 20000; }
http {
  access_log off; keepalive_requests 1000000;
  client_body_temp_path $folder/body; proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi; uwsgi_temp_path $folder/uwsgi; scgi_temp_path $folder/scgi;
  upstream mock { server 127.0.0.1:$upstream; keepalive 512; }
  server { listen 127.0.0.1:$port; location / {
    proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_buffering off; } }
}
""")


@contextlib.contextmanager
def mock_upstream(folder: Path, python: Path, core: int | None) -> Generator[Upstream]:
    """The mock, listening."""
    ports = Upstream(*(free_port() for _ in range(5)))
    argv = [str(python), "-m", "bench.upstream"]
    argv += map(str, (ports.burst, ports.paced, ports.silent, ports.other, ports.vectors))
    with running("upstream", argv, core=core, folder=folder) as process:
        until(lambda: _answers(ports.silent), process, within_s=READY_S, every_s=0.02)
        yield ports


@contextlib.contextmanager
def nginx(rig: Rig, upstream_port: int) -> Generator[Target]:
    """nginx with one worker and proxy_pass over kept connections: the floor."""
    port, program = free_port(), nginx_path()
    config = rig.folder / "nginx.conf"
    config.write_text(_NGINX.substitute(folder=rig.folder, port=port, upstream=upstream_port))
    argv = [str(program), "-c", str(config)]
    with running("nginx", argv, core=rig.cores.under_test, folder=rig.folder) as process:
        until(lambda: _answers(port), process, within_s=READY_S, every_s=0.02)
        yield Target(process=process, port=port)


@contextlib.contextmanager
def gateway(rig: Rig, upstream_port: int, *, catalogue: bool = False) -> Generator[Target]:
    """infway with everything on, ready; with `catalogue`, every vendor's models are offered."""
    with starting_gateway(rig, upstream_port, catalogue=catalogue) as target:
        until(
            lambda: _answers(target.port, "/readyz"),
            target.process,
            within_s=READY_S,
            every_s=0.02,
        )
        yield target


@contextlib.contextmanager
def starting_gateway(rig: Rig, upstream_port: int, *, catalogue: bool = False) -> Generator[Target]:
    """infway, spawned a moment ago, on a fresh ledger."""
    port = free_port()
    text = (ROOT / "bench" / "infway.yaml").read_text() + (_every_vendor() if catalogue else "")
    dialect = "anthropic" if upstream_port == rig.upstream.other else "openai"
    with _spawned(rig, port, text, upstream=upstream_port, dialect=dialect) as target:
        yield target


@contextlib.contextmanager
def families_gateway(rig: Rig) -> Generator[Target]:
    """infway with upstreams for every family of endpoints, ready."""
    port, ports = free_port(), rig.upstream
    text = (ROOT / "bench" / "families.yaml").read_text()
    with _spawned(rig, port, text, upstream=ports.burst, vectors=ports.vectors) as target:
        until(lambda: _answers(port, "/readyz"), target.process, within_s=READY_S, every_s=0.02)
        yield target


@contextlib.contextmanager
def _spawned(rig: Rig, port: int, text: str, **said: object) -> Generator[Target]:
    config, ledger = rig.folder / "infway.yaml", rig.folder / f"ledger-{port}.db"
    config.write_text(Template(text).safe_substitute(port=port, ledger=ledger, **said))
    argv = [str(rig.infway), "serve", "--config", str(config)]
    core, folder = rig.cores.under_test, rig.folder
    with running("infway", argv, core=core, folder=folder, env=ENVIRONMENT) as process:
        yield Target(process=process, port=port)


def await_answer(target: Target) -> None:
    """Asks one chat question again and again until it is answered."""
    until(lambda: _chats(target.port), target.process, within_s=READY_S, every_s=0.002)


def _every_vendor() -> str:
    """Rows for all vendors that the packaged catalogue knows; their calls go to the mock."""
    return "".join(
        f'  - {{name: {name}, vendor: {name}, base_url: "http://127.0.0.1:$upstream/v1", '
        'key: "${MOCK_KEY}", project: p}\n'
        for name, vendor in VENDORS.items()
        if vendor.catalogue is not None and not vendor.own_names
    )


def _answers(port: int, path: str = "/") -> bool:
    return _ask(port, "GET", path, b"")


def _chats(port: int) -> bool:
    return _ask(port, "POST", PATH, chat_body(stream=False))


def _ask(port: int, verb: str, path: str, body: bytes) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5.0)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    try:
        connection.request(verb, path, body, headers)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
