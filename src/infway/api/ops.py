"""Health, readiness and metrics, for machines that watch over infway."""

from collections.abc import Callable

from fastapi import APIRouter, Response

from infway.kernel.errors import UnavailableError
from infway.pipeline.settler import Settler
from infway.telemetry.metrics import CONTENT_TYPE, Metrics


def ops_router(metrics: Metrics, is_ready: Callable[[], bool], settler: Settler) -> APIRouter:
    """Return the endpoints; `is_ready` tells whether requests should be sent here now.

    Nor should they where a newer infway has changed the ledger that the `settler` writes to.
    """
    router = APIRouter(tags=["operation"])

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz", summary="Is the process alive?")
    @router.get("/health", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        """Answer as long as the process runs: a failing upstream is no reason to restart it."""
        return {"status": "ok"}

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", summary="Should it get requests?")
    async def readyz() -> dict[str, str]:
        """Answer 200 between start and stop, 503 otherwise."""
        if not is_ready():
            raise UnavailableError(503, "service_unavailable", "Not ready.", retry_after=1)
        if settler.outdated:
            message = f"Not ready: {settler.outdated}."
            raise UnavailableError(503, "service_unavailable", message)
        return {"status": "ready"}

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def page() -> Response:
        """Return all metrics in Prometheus' text format."""
        return Response(metrics.page(), media_type=CONTENT_TYPE)

    return router
