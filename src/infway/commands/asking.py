"""What commands ask of the running gateway, and the words for one that does not answer."""

import json
from collections.abc import Mapping

import click
import httpx2

from infway.commands.surroundings import Surroundings
from infway.providers.shapes import is_object

PATIENCE = 10.0  # seconds
# What to do about a refusal, by its code
_ADVICE: Mapping[str, str] = {
    "invalid_api_key": " INFWAY_API_KEY names the key to present.",
    "missing_api_key": " INFWAY_API_KEY names the key to present.",
    "model_not_found": " `infway models` lists what there is.",
}


def ask(surroundings: Surroundings, address: str, path: str) -> Mapping[str, object]:
    """Return the object that the gateway at an address has under a path; fails with its reason."""
    try:
        with httpx2.Client(base_url=address, timeout=PATIENCE, trust_env=False) as client:
            response = client.get(path, headers=headers(surroundings))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise silent(address, error) from error
    if response.status_code != 200:
        raise click.ClickException(refusal(response.status_code, response.content))
    try:
        found: object = json.loads(response.content)
    except ValueError:
        found = None
    if not is_object(found):
        raise stranger(address)
    return found


def headers(surroundings: Surroundings) -> dict[str, str]:
    """Return what presents the key, where there is one."""
    return {"authorization": f"Bearer {surroundings.key}"} if surroundings.key else {}


def silent(address: str, error: Exception) -> click.ClickException:
    """Return the failure of an address at which nothing answers."""
    return click.ClickException(
        f"{address} does not answer: {error or type(error).__name__}. "
        "`infway serve` starts a gateway; --url or INFWAY_URL names another one."
    )


def stranger(address: str) -> click.ClickException:
    """Return the failure of an address at which something else answers."""
    return click.ClickException(
        f"{address} answers, but not as infway does; --url or INFWAY_URL names another gateway."
    )


def refusal(status: int, body: bytes) -> str:
    """Return what the gateway said against a request, and what to do about it."""
    try:
        error = json.loads(body)["error"]
        said, code = error["message"], str(error.get("code"))
    except (ValueError, KeyError, TypeError):
        said, code = "no reason given", ""
    return f"{status}: {said}{advice(code)}"


def advice(code: str) -> str:
    """Return what to do about a refusal, behind its message; nothing where that says it all."""
    return _ADVICE.get(code, "")
