"""The description is true: every endpoint keeps it, whatever is sent within and beside it."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.api.beside import beside
from tests.api.caller import ADMIN, chat_body
from tests.api.serving import served
from tests.api.upstream import listening
from tests.conftest import Gateway, settled, upstream_settings

from infway.api.operations import OPERATIONS
from infway.app import App, parts
from infway.ledger.sqlite import SqliteLedger


def no_fault(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """A constraint of the caller's that leaves no offer is told as 503; no other 5xx is right."""
    if b'"no_available_provider"' in response.content:
        return None
    return not_a_server_error(context, response, case)


CHECKS = [
    no_fault,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
LIVE = "/admin/decisions/live"  # never ends


@asynccontextmanager
async def serving(ledger: Path) -> AsyncIterator[str]:
    async with listening() as upstream:
        tree = {"upstreams": [upstream_settings("one", upstream, "m1")]}
        app = App(*settled(tree), parts(SqliteLedger(ledger), 7))
        async with served(app.front) as port:
            yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway for tests that are not asynchronous."""
    with beside(serving(tmp_path_factory.mktemp("ledger") / "ledger.db")) as at:
        yield at


def aliases() -> frozenset[str]:
    """The paths at which an endpoint is served once more: one of each shape is tried."""
    taken = [sorted(row.family.paths)[-1:] + row.family.templates()[:1] for row in OPERATIONS]
    tried = {path for paths in taken for path in paths}
    every = {path for row in OPERATIONS for path in (*row.family.paths, *row.family.templates())}
    return frozenset(every - tried)


ALIASES = aliases()


def test_every_endpoint_keeps_its_description(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json").exclude(path=LIVE)
    found = [one.ok() for one in schema.get_all_operations()]
    operations = [one for one in found if one.path not in ALIASES]
    assert len(operations) >= 45
    for operation in operations:

        @settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=operation.as_strategy())
        def keeps_it(case: schemathesis.Case) -> None:
            case.call_and_validate(base_url=url, headers=dict([ADMIN]), checks=CHECKS)

        keeps_it()


async def test_the_description_names_every_path(gateway: Gateway) -> None:
    paths = (await gateway.get("/openapi.json", ())).json["paths"]
    families = [row.family for row in OPERATIONS]
    hot = {path for one in families for path in (*one.paths, *one.templates())}
    rare = {"/v1/models", "/v1/models/{model}", "/v1/generation", "/v1/key"}
    rare |= {"/healthz", "/readyz", "/metrics"}
    rare |= {"/v1beta/models", "/v1beta/models/{model}"}
    rare |= {f"/v1/responses/{{response_id}}{end}" for end in ("", "/cancel", "/input_items")}
    admin = {"/admin/decisions", "/admin/decisions/live", "/admin/decisions/{request_id}"}
    assert paths.keys() == hot | rare | admin


async def test_real_replies_keep_the_description(gateway: Gateway) -> None:
    description = (await gateway.get("/openapi.json", ())).json

    def check(name: str, value: object) -> None:
        part = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
        jsonschema.Draft202012Validator(part).validate(value)

    check("ChatReply", (await gateway.chat(usage={"include": True})).json)
    check("ChatReply", (await gateway.chat(model={"imsn": 2})).json)
    check("ChatReply", (await gateway.chat(messages=None, prompt="Hi")).json)
    check("ErrorBody", (await gateway.chat(model="none")).json)
    check("ChatBody", json.loads(json.dumps(chat_body(stream=True, temperature=1))))


async def test_errors_are_described_at_every_endpoint(gateway: Gateway) -> None:
    paths = (await gateway.get("/openapi.json", ())).json["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            assert "422" not in operation["responses"], path
            answers = operation["responses"]
            error = answers.get("default") or answers["400"]
            told = error["content"]["application/json"]["schema"]
            kinds = {row.error.__name__ for row in OPERATIONS}
            assert told["$ref"].removeprefix("#/components/schemas/") in kinds
