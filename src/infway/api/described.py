"""The FastAPI app behind the hot routes: everything that is rare, and the API's description.

The chat endpoint is answered in front of this app; here it is described as it really is.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException

from infway import __version__
from infway.accounts.wording import fault_of
from infway.api.administration.exactness import check_exact
from infway.api.errors import error_headers, error_of_status, own_fault
from infway.api.guesses import Client, Told
from infway.api.operations import components, described_paths, error_reply
from infway.api.replies import ErrorBody
from infway.api.worded import words_of
from infway.kernel.errors import GatewayError

_log = logging.getLogger(__name__)
_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "infuzu": {"type": "apiKey", "in": "header", "name": "Infuzu-API-Key"},
}


def described_app(routers: Sequence[APIRouter], told: Told, *, docs: bool) -> FastAPI:
    """Return the app. `told` counts every error; `docs` False leaves the page out."""
    app = FastAPI(
        title="infway",
        version=__version__,
        summary="An OpenAI-compatible gateway that routes every request to the best upstream",
        openapi_url="/openapi.json" if docs else None,
        redoc_url=None,
        redirect_slashes=False,
    )
    _fill(app, routers, told)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    return app


def administered_app(
    routers: Sequence[APIRouter], refused: Callable[[str], None], *, docs: bool
) -> FastAPI:
    """Return the app of administrators, described for itself.

    `refused` is told every error's code; the rest is as above.
    """
    app = FastAPI(
        title="infway: administration",
        version=__version__,
        openapi_url=None,  # neither it nor a page of it is public
        redirect_slashes=False,
        dependencies=[Depends(check_exact)],
    )

    def told(error: GatewayError, _: Client) -> GatewayError:
        refused(error.code)
        return error

    _fill(app, routers, told)

    def description() -> dict[str, Any]:  # in a thread: it takes a while
        return _described(app, {"bearer": _SCHEMES["bearer"]})

    if docs:
        app.get("/openapi.json", include_in_schema=False)(description)
    return app


def _fill(app: FastAPI, routers: Sequence[APIRouter], told: Told) -> None:
    for router in routers:
        app.include_router(router)
    refusals = _Refusals(told)
    app.add_exception_handler(GatewayError, refusals.gateway_error)
    app.add_exception_handler(HTTPException, refusals.http_error)
    app.add_exception_handler(RequestValidationError, refusals.validation_error)
    app.add_exception_handler(Exception, refusals.own_fault)


class _Refusals:
    """The web framework's errors as the one error body."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def _answer(self, request: Request, error: GatewayError) -> Response:
        error = self._told(error, request.scope.get("client"))
        error.request_id = request_id = request.state.request_id
        words = words_of(request.url.path)
        response = Response(words.refusal(error), error.status)
        length = (b"content-length", b"%d" % len(response.body))
        ids = [(name, request_id.encode()) for name in words.id_headers]
        response.raw_headers = [*error_headers(error), length, *ids]
        return response

    async def gateway_error(self, request: Request, error: Exception) -> Response:
        return self._answer(request, error if isinstance(error, GatewayError) else own_fault())

    async def http_error(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        response = self._answer(request, error_of_status(status))
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response

    async def validation_error(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            return await self.own_fault(request, error)
        first: dict[str, Any] = error.errors()[0]
        return self._answer(request, fault_of(first, first["loc"][1:]))

    async def own_fault(self, request: Request, error: Exception) -> Response:
        _log.error("a request failed inside infway", exc_info=error)
        return self._answer(request, own_fault())


def _description(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = _described(app, _SCHEMES)
        app.openapi_schema["paths"].update(described_paths())
    return app.openapi_schema


def _described(app: FastAPI, schemes: dict[str, Any]) -> dict[str, Any]:
    """Return what FastAPI knows of its routes, with our errors and ways to present a key."""
    schema = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    described = schema.setdefault("components", {})
    described.setdefault("schemas", {}).update(components())
    described["securitySchemes"] = schemes
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)  # FastAPI's own; here it is a 400
            operation["responses"].setdefault("default", error_reply(ErrorBody))
    schema["security"] = [{name: []} for name in schemes]
    return schema
