"""What the admin API is sent: the words of the configuration, and a name."""

from typing import Annotated

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from infway.accounts.capabilities import Capability
from infway.accounts.office import LONGEST_OVERLAP
from infway.accounts.terms import (
    AdminTerms,
    KeyTerms,
    Name,
    OrganisationTerms,
    PlanTerms,
    ProjectTerms,
    Terms,
)

# However large a number is, it is none of milliseconds
_SECONDS = ConfigDict(val_temporal_unit="seconds")
_moments = TypeAdapter(AwareDatetime, config=_SECONDS).validate_python


def _moment(value: object) -> object:
    """Return a moment, also where no type is taken for another: text, or a number of seconds."""
    try:
        return value if value is None or isinstance(value, bool) else _moments(value)
    except ValidationError as error:
        said = {"said": error.errors()[0]["msg"]}
        raise PydanticCustomError("datetime_parsing", "{said}", said) from error


Until = Annotated[AwareDatetime | None, BeforeValidator(_moment)]
_UNTIL = "When it ends, as ISO 8601 with a time zone or as Unix seconds; null: never."


_AT_ONCE = ConfigDict(defer_build=False)  # FastAPI takes no model that is built at its first use


class KeyChanges(KeyTerms):
    """What is to be changed of a key."""

    model_config = _AT_ONCE


class ProjectChanges(ProjectTerms):
    """What is to be changed of a project."""

    model_config = _AT_ONCE


class OrganisationChanges(OrganisationTerms):
    """What is to be changed of an organisation."""

    model_config = _AT_ONCE


class PlanChanges(PlanTerms):
    """What is to be changed of a plan."""

    model_config = _AT_ONCE


class NewKey(KeyTerms):
    """A key that is to be made."""

    model_config = _AT_ONCE
    name: Name | None = Field(default=None, description="Its name for good; null: its id.")
    expires_at: Until = Field(default=None, description=_UNTIL)


class NewAdmin(AdminTerms):
    """An administrator's key that is to be made."""

    model_config = _AT_ONCE
    name: Name | None = Field(default=None, description="Its name for good; null: its id.")
    expires_at: Until = Field(default=None, description=_UNTIL)


class AdminChanges(Terms):
    """What is to be changed of an administrator."""

    model_config = _AT_ONCE
    capabilities: tuple[Capability, ...] | None = Field(
        default=None, min_length=1, max_length=32, description="What its holder may do."
    )


class NewProject(ProjectTerms):
    """A project that is to be made."""

    model_config = _AT_ONCE
    name: Name = Field(description="Its name for good.")


class NewOrganisation(OrganisationTerms):
    """An organisation that is to be made."""

    model_config = _AT_ONCE
    name: Name = Field(description="Its name for good.")


class NewPlan(PlanTerms):
    """A plan that is to be made."""

    model_config = _AT_ONCE
    name: Name = Field(description="Its name for good.")


class Rotation(Terms):
    """How a key gets a new secret."""

    model_config = _AT_ONCE
    overlap: Annotated[float, Field(ge=0, le=LONGEST_OVERLAP)] = Field(
        default=0.0, description="Seconds that the old secret is still taken."
    )


class Expiry(Terms):
    """When a key ends."""

    model_config = _AT_ONCE
    expires_at: Until = Field(description=_UNTIL)
