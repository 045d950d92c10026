"""What an upstream's settings leave open, from the variables that its vendor's own tools read."""

from collections.abc import Mapping

from infway.providers.vendors import Vendor
from infway.settings.tree import Tree

# The variables of AWS's own tools for the keys of an account, by the setting they stand for
AWS: Mapping[str, str] = {
    "access_key_id": "AWS_ACCESS_KEY_ID",
    "secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "session_token": "AWS_SESSION_TOKEN",
}


def from_environment(vendor: Vendor, row: Tree, environment: Mapping[str, str]) -> Tree:
    """Return settings of an upstream as variables say them; the row's own come before them."""
    said: dict[str, object] = {}
    for name, variables in (
        ("key", vendor.env),
        ("region", vendor.region_env),
        ("project", vendor.project_env),
    ):
        value = next((environment[one] for one in variables if environment.get(one)), None)
        if value:
            said[name] = value
    if vendor.cloud == "aws" and not (said.get("key") or row.get("key")):
        keys = {name: environment.get(variable) for name, variable in AWS.items()}
        if keys["access_key_id"] and keys["secret_access_key"]:
            said["aws"] = {name: value for name, value in keys.items() if value}
    return said
