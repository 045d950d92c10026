"""What the admin API takes: what it describes, and nothing else. Every request passes by here.

The web framework would read past fields of a body that none was expected for and parameters that
an endpoint does not have, and would take `"yes"` for true and `"5"` for 5.
"""

from collections.abc import Collection, Iterable

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from infway.accounts.terms import Terms
from infway.accounts.wording import fault_of, wrong

_WITH_BODY = frozenset({"POST", "PATCH", "DELETE"})


class Nothing(Terms):
    """The body of what needs none: empty, or an object without fields."""


async def check_exact(request: Request) -> None:
    """Raise CallerError for parameters and fields that an endpoint does not have, or of wrong types."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    _check_parameters([name for name, _ in request.query_params.multi_items()], route.dependant)
    if request.method in _WITH_BODY:
        _check_body(await request.body(), _model(route))


def _check_parameters(said: Collection[str], endpoint: Dependant) -> None:
    known = dict(_parameters(endpoint))
    for name in said:
        if name not in known:
            raise wrong(name, "there is no such field.")
    for name, is_list in known.items():
        if not is_list and list(said).count(name) > 1:
            raise wrong(name, "must not be said twice.")


def _parameters(endpoint: Dependant) -> Iterable[tuple[str, bool]]:
    """Iterate over the parameters of an endpoint's address, each with whether it may be repeated."""
    for one in endpoint.query_params:
        about = one.field_info.annotation
        if isinstance(about, type) and issubclass(about, BaseModel):
            yield from ((name, _is_list(field)) for name, field in about.model_fields.items())
        else:
            yield one.alias, _is_list(one.field_info)


def _is_list(field: FieldInfo) -> bool:
    return getattr(field.annotation, "__origin__", None) in (tuple, list)


def _model(route: APIRoute) -> type[BaseModel]:
    body = route.body_field.field_info.annotation if route.body_field else None
    return body if isinstance(body, type) and issubclass(body, BaseModel) else Nothing


def _check_body(body: bytes, model: type[BaseModel]) -> None:
    if not body and model is Nothing:
        return
    try:
        model.model_validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise fault_of(first, first["loc"]) from error
