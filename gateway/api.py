"""The admin socket: HTTP and JSON for people's tools, on a Unix socket, in the daemon's own loop (design D7).

Who asks is what the kernel says of the peer (`gateway.door`), what they may is in `gateway.admin.roles`. Errors are one
JSON object: `error`, a sentence, and `field`; a conflict adds `current`. Every change takes a `reason` for the audit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from gateway.admin import (
    audit,
    companies,
    counting,
    documents,
    events,
    health,
    imports,
    queue,
    recipients,
    roles,
    settings,
    status,
)
from gateway.admin.pages import Pages
from gateway.admin.running import Running, reason_of, version_of
from gateway.door import SocketServer
from gateway.errors import Conflict, Corrupt, Forbidden, GatewayError, NotFound, Refused, Temporary
from gateway.store.audit import Caller
from gateway.workbook.model import FILE_LIMIT

_BODY_LIMIT = 1 << 20  # bytes; the largest request is a template
_log = logging.getLogger("gateway.api")

Handler = Callable[[Request], Awaitable[Response]]


def make_app(running: Running, identify: Callable[[int], Caller] | None = None) -> FastAPI:
    """The application; every request's scope state holds the `uid` of the peer, of which `identify` makes a caller."""
    known = identify or (lambda uid: roles.caller_of(uid, running.config.roles))
    asking = ThreadPoolExecutor(2, "who-asks")  # of its own: a lookup never waits for a backup
    app = FastAPI(title="Document mail gateway", docs_url=None, redoc_url=None, openapi_url=None)
    for method, path, handler in _routes(running):
        guarded = _guarded(running, known, asking, method, path, handler)
        app.add_api_route(path, guarded, methods=[method], response_model=None)
    app.add_exception_handler(GatewayError, _say_error)
    app.add_exception_handler(HTTPException, _say_http_error)
    app.add_exception_handler(Exception, _say_fault)
    return app


def _routes(r: Running) -> list[tuple[str, str, Handler]]:
    """Method, path and handler of every request; the docstrings stand at the functions of `gateway.admin`."""
    return [
        ("GET", "/me", _answer(lambda q: _at_once(roles.show(q.state.caller)))),
        ("GET", "/status", _answer(lambda _: status.show_status(r))),
        ("GET", "/health", _answer(lambda _: health.show_health(r))),
        ("GET", "/metrics", _metrics(r)),
        ("GET", "/events", _events(r)),
        ("GET", "/companies", _answer(lambda _: companies.list_companies(r))),
        ("POST", "/companies", _change(lambda q, who, body: companies.add_company(r, who, body))),
        ("GET", "/choices", _answer(lambda _: counting.show_choices(r))),
        *((("GET", f"/{name}/count", _counted(r, name))) for name in ("recipients", "documents", "queue", "audit")),
        ("GET", "/recipients", _list(lambda q: recipients.list_recipients(r, q.query_params))),
        ("POST", "/recipients", _change(lambda q, who, body: recipients.add_recipient(r, who, body))),
        ("GET", "/recipients/{id}", _answer(lambda q: recipients.show_recipient(r, q.path_params["id"]))),
        ("PATCH", "/recipients/{id}", _change(lambda q, who, body: _change_recipient(r, q, who, body))),
        ("DELETE", "/recipients/{id}", _change(lambda q, who, body: _delete_recipient(r, q, who))),
        ("POST", "/imports", _upload(lambda q, file: imports.preview(r, q.query_params, file))),
        ("GET", "/imports/{id}", _answer(lambda q: imports.show_preview(r, q.path_params["id"]))),
        (
            "GET",
            "/imports/{id}/findings",
            _list(lambda q: imports.list_findings(r, q.path_params["id"], q.query_params)),
        ),
        ("GET", "/imports/{id}/changes", _list(lambda q: imports.list_changes(r, q.path_params["id"], q.query_params))),
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
        ("GET", "/documents/{id}/original", _file(lambda q: documents.show_original(r, q.path_params["id"]))),
        ("GET", "/documents/{id}/message", _file(lambda q: documents.show_message(r, q.path_params["id"]))),
        ("GET", "/documents/{id}/text", _answer(lambda q: documents.show_text(r, q.path_params["id"]))),
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
        ("GET", "/audit", _list(lambda q: audit.list_audit(r, q.query_params))),
        ("GET", "/audit/verify", _answer(lambda q: audit.verify_audit(r, q.query_params))),
        ("GET", "/audit/export", _rows(lambda q: audit.export_audit(r, q.query_params))),
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


def _counted(running: Running, name: str) -> Handler:
    return _answer(lambda q: counting.count(running, name, q.query_params))


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
        body = dict(await _body(request))
        who = msgspec.structs.replace(request.state.caller, reason=reason_of(body))
        body.pop("reason", None)
        return _json(await do(request, who, body))

    return handler


def _rows(ask: Callable[[Request], AsyncGenerator[dict[str, Any], None]]) -> Handler:
    """One JSON object a line, however many there are; an error that comes late breaks the connection off."""

    async def handler(request: Request) -> Response:
        rows = ask(request)
        first = await anext(rows, None)  # what is wrong with the request is answered before the lines begin
        return StreamingResponse(_records(first, rows), media_type="application/x-ndjson")

    return handler


async def _records(row: dict[str, Any] | None, rest: AsyncGenerator[dict[str, Any], None]) -> AsyncIterator[bytes]:
    if row is None:
        return
    yield msgspec.json.encode(row) + b"\n"
    async with contextlib.aclosing(rest):
        async for row in rest:
            yield msgspec.json.encode(row) + b"\n"


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


def _events(running: Running) -> Handler:
    async def handler(request: Request) -> Response:
        stream = events.stream(running, request.query_params, request.headers.get("last-event-id"))
        first = await anext(stream)  # what is wrong with the request is answered before the stream begins
        return StreamingResponse(_after(first, stream), media_type="text/event-stream")

    return handler


async def _after(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    yield first
    async with contextlib.aclosing(rest):
        async for piece in rest:
            yield piece


def _file(ask: Callable[[Request], Awaitable[tuple[str, str, bytes]]]) -> Handler:
    async def handler(request: Request) -> Response:
        name, media_type, content = await ask(request)
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


class AdminServer(SocketServer):
    """Serves the admin API at a Unix socket. Start it before the listeners, stop it after them."""

    def __init__(self, socket_path: Path, running: Running) -> None:
        super().__init__(socket_path, make_app(running), running.config.roles.socket_group)
        self._changes = running.store.changes

    async def stop(self) -> None:
        """End the streams of events, which never end by themselves, then stop."""
        self._changes.interrupt()
        await super().stop()
