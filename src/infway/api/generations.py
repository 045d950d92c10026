"""A past request looked up by its id: what it cost, where it went, and what each attempt came to.

The shape is that of OpenRouter's `GET /api/v1/generation`: its clients demand every field, so
those that the ledger knows nothing of are null.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from fastapi import APIRouter, Request, Response

from infway.accounts.keys import Keyring
from infway.api.auth import presented_key
from infway.api.dialect import raw_number
from infway.kernel.errors import CallerError, InfwayError, UnavailableError
from infway.kernel.faults import LEFT
from infway.kernel.money import usd_text
from infway.ledger.rows import Row, tags_of

RowsOf = Callable[[str], Awaitable[Sequence[Row]]]

# A request's id as kernel/ids.py makes it, behind the prefix that its dialect's replies put there.
_ID = re.compile(r"(?:.*[-_])?([0-9a-z]+-[0-9]+)", re.DOTALL)
_LONGEST = 200  # characters of an id that is looked for
_PAUSE = 0.1  # seconds between two looks: another worker writes its rows in batches this far apart
_encode = msgspec.json.Encoder().encode

# Fields of OpenRouter's reply that the ledger keeps nothing of.
_UNKNOWN: Mapping[str, None] = dict.fromkeys(
    (
        "api_type",
        "app_id",
        "cache_discount",
        "external_user",
        "finish_reason",
        "moderation_latency",
        "native_finish_reason",
        "native_tokens_completion_images",
        "num_input_audio_prompt",
        "num_media_completion",
        "num_media_prompt",
        "num_search_results",
        "upstream_id",
        "upstream_inference_cost",
    )
)


def generations_router(
    keyring: Callable[[], Keyring], rows_of: RowsOf, patience: float
) -> APIRouter:
    """Return the endpoint. `rows_of` gives the rows of a request that has ended, by its bare id.

    `patience`: for how many seconds an id is looked for that another worker may be about to write.
    """
    router = APIRouter(tags=["generations"])

    @router.get("/v1/generation", summary="Look up a past request")
    @router.get("/generation", include_in_schema=False)
    @router.get("/api/v1/generation", include_in_schema=False)
    async def generation(request: Request, id: str = "") -> Response:  # noqa: A002 - its name on the wire
        """Tell cost, tokens, times and attempts of a request that this key made.

        The id is that of the reply, or its header `x-request-id`. Admin keys see every request.
        """
        _, key = presented_key(request.headers.raw)
        who = keyring().find(key)
        if who is None:
            raise keyring().refusal(key)
        if not id:
            raise CallerError(400, "missing_required_field", "id is required.", "id")
        rows = await found(rows_of, id, patience)
        if not rows or not (rows[0].key == who.name or keyring().is_admin(key)):
            raise CallerError(
                404, "generation_not_found", "This key made no such request, or it has not ended.",
                "id",
            )  # fmt: skip
        return Response(_encode({"data": described(id, rows)}), media_type="application/json")

    return router


def bare(asked: str) -> str | None:
    """Return the id of a request from that of a reply; None where it is none."""
    match = _ID.fullmatch(asked) if len(asked) <= _LONGEST else None
    return None if match is None else match[1]


async def found(rows_of: RowsOf, asked: str, patience: float = 0.0) -> Sequence[Row]:
    """Return the rows of a request by attempt, the first of them its own; none of what is unknown.

    Raises UnavailableError 503 where the ledger cannot be read.
    """
    name = bare(asked)
    if name is None:
        return ()
    try:
        rows = await rows_of(name)
        while not rows and patience > 0:
            await asyncio.sleep(_PAUSE)
            patience -= _PAUSE
            rows = await rows_of(name)
    except InfwayError as error:
        raise UnavailableError(
            503, "accounting_unavailable", "The ledger cannot be read now.", retry_after=1
        ) from error
    return sorted(rows, key=lambda row: row.attempt)


def described(asked: str, rows: Sequence[Row]) -> Mapping[str, object]:
    """Return a request's description: its own row comes first, one for each attempt follows."""
    whole, *attempts = rows
    return {
        **_UNKNOWN,
        "id": asked,
        "request_id": whole.request,
        **_counted(whole),
        "key": whole.key,
        "project": whole.project or None,
        "organisation": whole.organisation or None,
        "tags": tags_of(whole.tags),
        "model": whole.model,
        "provider_name": whole.upstream or None,
        "total_cost": _money(whole),
        "usage": _money(whole),
        "streamed": bool(whole.stream),
        "cancelled": whole.outcome in [fault.value for fault in LEFT],
        "native_tokens_prompt": whole.prompt_tokens,
        "native_tokens_completion": whole.completion_tokens,
        "native_tokens_cached": whole.cached_tokens,
        "native_tokens_reasoning": whole.reasoning_tokens,
        "origin": "",
        "is_byok": False,
        "provider_responses": [_response(row) for row in attempts],
        "attempts": [_attempt(row) for row in attempts],
    }


def _counted(row: Row) -> dict[str, object]:
    """Return what is told of requests and of attempts alike.

    `latency`, `generation_time`: milliseconds to the first token (or the whole reply) and to the
    end. `priced` false: there was no price, and the cost is 0 for that reason.
    """
    return {
        "created_at": datetime.fromtimestamp(row.at, UTC).isoformat(),
        "outcome": row.outcome,
        "status": row.status,
        "latency": row.start_ms,
        "generation_time": row.end_ms,
        "tokens_prompt": row.prompt_tokens,
        "tokens_completion": row.completion_tokens,
        "estimated": bool(row.estimated),
        "priced": bool(row.priced),
    }


def _attempt(row: Row) -> dict[str, object]:
    return {
        "attempt": row.attempt,
        "upstream": row.upstream,
        "model": row.model,
        **_counted(row),
        "tokens_cached": row.cached_tokens,
        "tokens_cache_write": row.cache_write_tokens,
        "tokens_reasoning": row.reasoning_tokens,
        "cost": _money(row),
        "rescue": row.rescue or None,
    }


def _response(row: Row) -> dict[str, object]:
    """Return an attempt in OpenRouter's words."""
    return {
        "id": None,
        "endpoint_id": None,
        "provider_name": row.upstream,
        "model_permaslug": row.model,
        "status": row.status,
        "latency": row.start_ms,
        "is_byok": False,
    }


def _money(row: Row) -> msgspec.Raw:
    """Return USD as an exact decimal number."""
    return raw_number(usd_text(row.cost))
