"""Tokens counted without holding up the other requests of the process."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager

from infway.kernel.errors import CallerError
from infway.providers.counting import Count, is_ready

_UNSERVED = "model_not_found"
_LONG = 100_000  # characters; they take about a millisecond


async def counted(count: Callable[[], Count], model: str, size: int) -> Count:
    """Return a count; `size`: the characters or bytes that are counted for `model`.

    In a thread where it is long, or where the model's vocabulary has to be read first.
    """
    if size < _LONG and is_ready(model):
        return count()
    return await asyncio.to_thread(count)


@contextmanager
def told_where() -> Generator[None, None, None]:
    """Say of a model that is not served here where its tokens are counted all the same."""
    try:
        yield
    except CallerError as error:
        if error.code != _UNSERVED:
            raise
        message = f"{error.message} /utils/token_counter counts for models that are not served."
        raise CallerError(error.status, error.code, message, error.param) from error
