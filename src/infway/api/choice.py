"""Whether a chat request that demands a tool has any."""

from infway.kernel.chat import ChatRequest, Feature
from infway.kernel.errors import CallerError
from infway.providers.shapes import is_object, value_of

_NAMES = frozenset({"tool_choice", "function_call"})
_LEFT_OPEN = (None, "auto", "none")


def check_choice(ask: ChatRequest) -> None:
    """Raise CallerError where a tool has to be called and there is none: OpenAI refuses that too."""
    if ask.features & Feature.TOOLS or not _NAMES & ask.parameters:
        return
    for name in sorted(_NAMES & ask.parameters):
        said = value_of(ask.fields.get(name))
        mode = said.get("type", "function") if is_object(said) else said
        if mode not in _LEFT_OPEN:
            raise CallerError(400, "invalid_field", f"{name}: there are no tools.", name)
