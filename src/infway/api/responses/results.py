"""Results of functions, each of which answers a call that stands before it."""

from collections.abc import Sequence

from infway.api.responses.conversation import Item, kind_of
from infway.kernel.errors import CallerError


def check_results(items: Sequence[Item], earlier: Sequence[Item]) -> None:
    """Raise CallerError where a result among `items` answers no call, in OpenAI's words.

    What was compacted may hold the call, and cannot be looked into.
    """
    before = (*earlier, *items)
    if any(kind_of(item) == "compaction" for item in before):
        return
    calls = [item.get("call_id") for item in before if kind_of(item) == "function_call"]
    known = {id_ for id_ in calls if isinstance(id_, str)}
    for place, item in enumerate(items):
        id_ = item.get("call_id")
        is_result = kind_of(item) == "function_call_output" and isinstance(id_, str)
        if is_result and id_ not in known:
            message = f"No tool call found for function call output with call_id {str(id_)[:100]}."
            raise CallerError(400, "invalid_field", message, f"input[{place}].call_id")
