"""What no hot route answers: the web framework's app, built when something of it is first asked.

Its routes take some 30 ms to build, which a start, and each of many starts in a test, can do without.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from starlette.routing import Router

from infway.api.exchange import Receive, Scope, Send

Lifespan = Callable[[object], AbstractAsyncContextManager[None]]

# Base URLs that clients use beside the one that is described
_SAME: Mapping[str, str] = {
    "/responses/": "/v1/responses/",
    "/api/v1/responses/": "/v1/responses/",
    "/openai/v1/responses/": "/v1/responses/",
    "/openai/responses/": "/v1/responses/",
    "/gemini/v1beta/models": "/v1beta/models",
}


class Rest:
    """An ASGI app. `build` returns the web framework's; `lifespan` is open while it is served."""

    def __init__(self, build: Callable[[], FastAPI], lifespan: Lifespan) -> None:
        self._build = build
        self._life = Router(lifespan=lifespan)
        self._app: FastAPI | None = None
        self._building = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._life.lifespan(scope, receive, send)
            return
        app = self._app or await self._built()
        await app(_described(scope), receive, send)

    async def _built(self) -> FastAPI:
        """Build the app beside the loop, which goes on with what is under way."""
        async with self._building:
            if self._app is None:
                self._app = await asyncio.to_thread(self._build)
        return self._app


def _described(scope: Scope) -> Scope:
    """Return the scope with its path as the description knows it."""
    path: str = scope.get("path", "")
    for start, same in _SAME.items():
        if path.startswith(start):
            return {**scope, "path": same + path[len(start) :]}
    return scope
