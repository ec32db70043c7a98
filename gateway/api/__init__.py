"""The admin socket: HTTP and JSON for people's tools, on a Unix socket, in the daemon's own loop (design D7).

Who asks is what the kernel says of the peer (`gateway.door`), what they may is in `gateway.admin.roles`. Errors are one
JSON object (`answers`). Every change takes a `reason` for the audit. `routes` is the table of requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from gateway.admin import audit, roles
from gateway.admin.running import Running
from gateway.api.answers import say_error, say_fault, say_http_error
from gateway.api.handlers import Handler
from gateway.api.routes import routes
from gateway.door import SocketServer
from gateway.errors import GatewayError
from gateway.store.audit import Caller


def make_app(running: Running, identify: Callable[[int], Caller] | None = None) -> FastAPI:
    """The application; every request's scope state holds the `uid` of the peer, of which `identify` makes a caller."""
    known = identify or (lambda uid: roles.caller_of(uid, running.config.roles))
    asking = ThreadPoolExecutor(2, "who-asks")  # of its own: a lookup never waits for a backup
    app = FastAPI(title="Document mail gateway", docs_url=None, redoc_url=None, openapi_url=None)
    for method, path, handler in routes(running):
        guarded = _guarded(running, known, asking, method, path, handler)
        app.add_api_route(path, guarded, methods=[method], response_model=None)
    app.add_exception_handler(GatewayError, say_error)
    app.add_exception_handler(HTTPException, say_http_error)
    app.add_exception_handler(Exception, say_fault)
    return app


def _guarded(
    running: Running,
    identify: Callable[[int], Caller],
    asking: ThreadPoolExecutor,
    method: str,
    path: str,
    handler: Handler,
) -> Handler:
    """Lets through who has the permission that the route needs; a look at a document is noted first."""
    need = roles.needed(method, path)
    last = path.rpartition("/")[2]

    async def guarded(request: Request) -> Response:
        # Each time, as a role may be given or taken away; beside the loop, as the user database may be far away.
        who = await asyncio.get_running_loop().run_in_executor(asking, identify, request.state.uid)
        roles.require(who, need)
        request.state.caller = who
        if need is roles.Permission.CONTENT:
            await audit.note_look(running, who, request.path_params["id"], "document" if last == "{id}" else last)
        return await handler(request)

    return guarded


class AdminServer(SocketServer):
    """Serves the admin API at a Unix socket. Start it before the listeners, stop it after them."""

    def __init__(self, socket_path: Path, running: Running) -> None:
        super().__init__(socket_path, make_app(running), running.config.roles.socket_group)
        self._changes = running.store.changes

    async def stop(self) -> None:
        """End the streams of events, which never end by themselves, then stop."""
        self._changes.interrupt()
        await super().stop()
