"""The admin socket: HTTP and JSON for people's tools, on a Unix socket, in the daemon's own loop (design D7).

Who asks is what the kernel says of the peer (SO_PEERCRED, unix(7)), never what the request says. Errors are one JSON
object: `error`, a sentence, and `field`; a conflict adds `current`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pwd
import socket
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway import client
from gateway.admin import companies, documents, imports, queue, recipients, settings, status
from gateway.admin.pages import Pages
from gateway.admin.running import Running, version_of
from gateway.errors import Conflict, Corrupt, Forbidden, GatewayError, NotFound, Refused, Temporary
from gateway.store.audit import Caller
from gateway.workbook.model import FILE_LIMIT

_BODY_LIMIT = 1 << 20  # bytes; the largest request is a template
_log = logging.getLogger("gateway.api")

Handler = Callable[[Request], Awaitable[Response]]


def make_app(running: Running) -> FastAPI:
    """The application; every request's scope state holds the `caller`."""
    app = FastAPI(title="Document mail gateway", docs_url=None, redoc_url=None, openapi_url=None)
    for method, path, handler in _routes(running):
        app.add_api_route(path, _guarded(handler), methods=[method], response_model=None)
    app.add_exception_handler(GatewayError, _say_error)
    app.add_exception_handler(HTTPException, _say_http_error)
    app.add_exception_handler(Exception, _say_fault)
    return app


def _routes(r: Running) -> list[tuple[str, str, Handler]]:
    """Method, path and handler of every request; the docstrings stand at the functions of `gateway.admin`."""
    return [
        ("GET", "/status", _answer(lambda _: status.show_status(r))),
        ("GET", "/metrics", _metrics(r)),
        ("GET", "/companies", _answer(lambda _: companies.list_companies(r))),
        ("POST", "/companies", _change(lambda q, who, body: companies.add_company(r, who, body))),
        ("GET", "/recipients", _list(lambda q: recipients.list_recipients(r, q.query_params))),
        ("POST", "/recipients", _change(lambda q, who, body: recipients.add_recipient(r, who, body))),
        ("GET", "/recipients/{id}", _answer(lambda q: recipients.show_recipient(r, q.path_params["id"]))),
        ("PATCH", "/recipients/{id}", _change(lambda q, who, body: _change_recipient(r, q, who, body))),
        ("DELETE", "/recipients/{id}", _change(lambda q, who, body: _delete_recipient(r, q, who))),
        ("POST", "/imports", _upload(lambda q, file: imports.preview(r, q.query_params, file))),
        ("GET", "/imports/{id}", _answer(lambda q: imports.show_preview(r, q.path_params["id"]))),
        ("GET", "/imports/{id}/findings", _list(lambda q: imports.list_findings(r, q.path_params["id"]))),
        ("GET", "/imports/{id}/changes", _list(lambda q: imports.list_changes(r, q.path_params["id"]))),
        ("POST", "/imports/{id}/apply", _change(lambda q, who, body: imports.apply(r, who, q.path_params["id"]))),
        ("GET", "/batches", _list(lambda q: imports.list_batches(r, q.query_params))),
        ("POST", "/batches/{id}/undo", _change(lambda q, who, body: imports.undo(r, who, q.path_params["id"], body))),
        ("GET", "/settings", _answer(lambda q: settings.list_settings(r, q.query_params.get("company")))),
        ("GET", "/settings/{key}", _answer(lambda q: settings.get_setting(r, *_company_and_key(q)))),
        ("PUT", "/settings/{key}", _change(lambda q, who, body: _set_setting(r, q, who, body))),
        ("GET", "/sources", _answer(lambda _: _at_once(status.list_sources(r)))),
        ("GET", "/documents", _list(lambda q: documents.list_documents(r, q.query_params))),
        (
            "POST",
            "/documents/release",
            _change(lambda q, who, body: _documents(documents.release_documents, r, who, body)),
        ),
        (
            "POST",
            "/documents/cancel",
            _change(lambda q, who, body: _documents(documents.cancel_documents, r, who, body)),
        ),
        ("GET", "/documents/{id}", _answer(lambda q: documents.show_document(r, q.path_params["id"]))),
        ("GET", "/documents/{id}/trace", _answer(lambda q: documents.show_trace(r, q.path_params["id"]))),
        ("GET", "/documents/{id}/original", _original(r)),
        (
            "POST",
            "/documents/{id}/release",
            _change(lambda q, who, body: _one(documents.release_documents, r, q, who, body)),
        ),
        (
            "POST",
            "/documents/{id}/cancel",
            _change(lambda q, who, body: _one(documents.cancel_documents, r, q, who, body)),
        ),
        (
            "POST",
            "/documents/{id}/resend",
            _change(lambda q, who, body: documents.resend_document(r, who, q.path_params["id"], body)),
        ),
        ("GET", "/queue", _list(lambda q: queue.list_deliveries(r, q.query_params))),
        ("GET", "/queue/hops", _answer(lambda _: queue.list_hops(r))),
        ("POST", "/queue/pause", _change(lambda q, who, body: queue.pause(r, who, body))),
        ("POST", "/queue/resume", _change(lambda q, who, body: queue.resume(r, who, body))),
        ("POST", "/queue/{verb}", _change(lambda q, who, body: queue.steer(r, who, q.path_params["verb"], body))),
        ("GET", "/audit", _list(lambda q: status.list_audit(r, q.query_params))),
        ("POST", "/backup", _change(lambda q, who, body: status.make_backup(r, who, body))),
    ]


# --- from a request to an admin function -----------------------------------------------------------------


def _answer(ask: Callable[[Request], Awaitable[Any]]) -> Handler:
    async def handler(request: Request) -> Response:
        return _json(await ask(request))

    return handler


def _list(ask: Callable[[Request], Pages]) -> Handler:
    async def handler(request: Request) -> Response:
        pages = ask(request)
        first = await anext(pages)  # what is wrong with the request is answered before the list begins
        return StreamingResponse(_array(first, pages), media_type="application/json")

    return handler


async def _array(page: list[dict[str, Any]], rest: Pages) -> AsyncIterator[bytes]:
    """A JSON array, piece by piece."""
    yield b"[" + msgspec.json.encode(page)[1:-1]
    async with contextlib.aclosing(rest):
        async for page in rest:
            if page:
                yield b"," + msgspec.json.encode(page)[1:-1]
    yield b"]"


def _change(do: Callable[[Request, Caller, Mapping[str, object]], Awaitable[Any]]) -> Handler:
    async def handler(request: Request) -> Response:
        return _json(await do(request, request.state.caller, await _body(request)))

    return handler


def _upload(look: Callable[[Request, bytes], AsyncGenerator[dict[str, Any], None]]) -> Handler:
    """A file as the request's body; the answer is one JSON object a line, so that a person sees how far it is."""

    async def handler(request: Request) -> Response:
        steps = look(request, await _bytes(request, FILE_LIMIT))
        first = await anext(steps)  # what is wrong with the request is answered before the lines begin
        return StreamingResponse(_lines(first, steps), media_type="application/x-ndjson")

    return handler


async def _lines(step: dict[str, Any], rest: AsyncGenerator[dict[str, Any], None]) -> AsyncIterator[bytes]:
    """JSON, line by line; an error that comes late is the last line."""
    yield msgspec.json.encode(step) + b"\n"
    async with contextlib.aclosing(rest):
        try:
            async for step in rest:
                yield msgspec.json.encode(step) + b"\n"
        except GatewayError as error:
            yield msgspec.json.encode({**_described(error), "status": _status(error)}) + b"\n"


def _metrics(running: Running) -> Handler:
    async def handler(request: Request) -> Response:
        return Response(await status.show_metrics(running), media_type="text/plain; version=0.0.4; charset=utf-8")

    return handler


def _original(running: Running) -> Handler:
    async def handler(request: Request) -> Response:
        name, media_type, content = await documents.show_original(running, request.path_params["id"])
        pieces = (content[start : start + (1 << 18)] for start in range(0, len(content), 1 << 18))
        headers = {
            "Content-Length": str(len(content)),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}",  # RFC 6266
        }
        return StreamingResponse(pieces, media_type=media_type, headers=headers)

    return handler


async def _at_once(value: Any) -> Any:
    return value


def _change_recipient(r: Running, q: Request, who: Caller, body: Mapping[str, object]) -> Awaitable[Any]:
    fields = {name: value for name, value in body.items() if name != "version"}
    return recipients.change_recipient(r, who, q.path_params["id"], fields, _version(q, body))


def _delete_recipient(r: Running, q: Request, who: Caller) -> Awaitable[Any]:
    return recipients.delete_recipient(r, who, q.path_params["id"], _version(q, {}))


def _set_setting(r: Running, q: Request, who: Caller, body: Mapping[str, object]) -> Awaitable[Any]:
    return settings.set_setting(r, who, *_company_and_key(q), {**body, "version": _version(q, body)})


def _company_and_key(q: Request) -> tuple[str | None, str]:
    return q.query_params.get("company"), q.path_params["key"]


def _documents(verb: Any, r: Running, who: Caller, body: Mapping[str, object]) -> Awaitable[Any]:
    return cast(Awaitable[Any], verb(r, who, body.get("ids"), body))


def _one(verb: Any, r: Running, q: Request, who: Caller, body: Mapping[str, object]) -> Awaitable[Any]:
    return cast(Awaitable[Any], verb(r, who, [q.path_params["id"]], body))


def _version(request: Request, body: Mapping[str, object]) -> int | None:
    """The version the caller saw: in the body, or as an entity tag in If-Match (RFC 9110 §13.1.1)."""
    tag = request.headers.get("if-match", "").strip()
    return version_of(body["version"] if "version" in body else "" if tag == "*" else tag.strip('"'))


async def _bytes(request: Request, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise Refused(f"The request is larger than {limit} bytes.")
    return b"".join(pieces)


async def _body(request: Request) -> Mapping[str, object]:
    data = await _bytes(request, _BODY_LIMIT)
    if not data:
        return {}
    try:
        value = json.loads(data)
    except ValueError as error:
        raise Refused("The request is not JSON.") from error
    if not isinstance(value, dict):
        raise Refused("The request is not a JSON object.")
    return value


# --- answers ---------------------------------------------------------------------------------------------


def _json(value: Any, code: int = 200) -> Response:
    return Response(msgspec.json.encode(value), code, media_type="application/json")


def _guarded(handler: Handler) -> Handler:
    """Only the socket's owner and root may ask."""

    async def guarded(request: Request) -> Response:
        caller: Caller = request.state.caller
        if caller.uid not in (0, os.geteuid()):
            raise Forbidden(f"{caller.user} may not use the gateway: only its owner and root may.")
        return await handler(request)

    return guarded


_STATUS: tuple[tuple[type[GatewayError], int], ...] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Refused, 400),
    (Conflict, 409),
    (Temporary, 503),
    (Corrupt, 503),
)


async def _say_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError)
    return _json(_described(error), _status(error))


def _status(error: GatewayError) -> int:
    return next((code for kind, code in _STATUS if isinstance(error, kind)), 400)


def _described(error: GatewayError) -> dict[str, Any]:
    answer: dict[str, Any] = {"error": error.sentence, "field": getattr(error, "field", None)}
    if isinstance(error, Conflict):
        answer["current"] = error.current
    if isinstance(error, Corrupt):
        answer["corrupt"] = True
    return answer


async def _say_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = f"{request.method} {request.url.path} is nothing the gateway does."
    return _json({"error": sentence, "field": None}, error.status_code)


async def _say_fault(request: Request, error: Exception) -> Response:
    """A fault of ours; uvicorn logs its traceback."""
    return _json({"error": "The gateway failed at this; its log says more.", "field": None}, 500)


# --- the socket ------------------------------------------------------------------------------------------


class _PeerProtocol(H11Protocol):
    """Puts the process at the other end of the socket into each request's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "caller": _peer(transport.get_extra_info("socket"))}


def _peer(connection: socket.socket) -> Caller:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", raw)
    try:
        return Caller(uid=uid, user=pwd.getpwuid(uid).pw_name)
    except KeyError:
        return Caller(uid=uid, user=f"uid {uid}")


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to the daemon and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class AdminServer:
    """Serves the admin API at a Unix socket. Start it before the listeners, stop it after them."""

    def __init__(self, socket_path: Path, running: Running) -> None:
        self._path = socket_path
        self._running = running
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns when the socket answers. Refused when another gateway answers there already."""
        listener = self._bind()
        config = uvicorn.Config(
            make_app(self._running),
            http=_PeerProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([listener]), name="admin-server")
        ready = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            self._task.result()

    def _bind(self) -> socket.socket:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            client.connect(self._path, timeout=1.0).close()
        except (FileNotFoundError, ConnectionRefusedError):
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise Refused(f"The admin socket {self._path} cannot be used: {error.strerror or error}.") from error
        else:
            raise Refused(f"Another gateway answers at {self._path} already.")
        try:
            return client.bind(self._path)
        except OSError as error:
            raise Refused(f"The admin socket {self._path} cannot be made: {error.strerror or error}.") from error

    async def stop(self) -> None:
        """Answer what is being asked, at most five seconds, then close the socket and remove it."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task
        self._path.unlink(missing_ok=True)
        self._server = self._task = None
