"""Handlers: from a request to a function of `gateway.admin`, and from what it gives to an answer.

Each makes a handler of one kind of function: a value, a list page by page, a change with its reason, a file.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from gateway.admin.pages import Pages
from gateway.admin.running import reason_of
from gateway.api.answers import described, json_of, status_of
from gateway.errors import GatewayError, Refused
from gateway.store.audit import Caller
from gateway.workbook.model import FILE_LIMIT

_BODY_LIMIT = 1 << 20  # bytes; the largest request is a template

Handler = Callable[[Request], Awaitable[Response]]


def answer(ask: Callable[[Request], Awaitable[Any]]) -> Handler:
    """One value."""

    async def handler(request: Request) -> Response:
        return json_of(await ask(request))

    return handler


def listing(ask: Callable[[Request], Pages]) -> Handler:
    """A list, sent while it is read."""

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


def change(do: Callable[[Request, Caller, Mapping[str, object]], Awaitable[Any]]) -> Handler:
    """A change, with the caller and the reason that the audit keeps; gives what is there after it."""

    async def handler(request: Request) -> Response:
        body = dict(await _body(request))
        who = msgspec.structs.replace(request.state.caller, reason=reason_of(body))
        body.pop("reason", None)
        return json_of(await do(request, who, body))

    return handler


def rows(ask: Callable[[Request], AsyncGenerator[dict[str, Any], None]]) -> Handler:
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


def upload(look: Callable[[Request, bytes], AsyncGenerator[dict[str, Any], None]]) -> Handler:
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
            yield msgspec.json.encode({**described(error), "status": status_of(error)}) + b"\n"


async def going_on(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """`first`, then the `rest`, which is closed whatever becomes of the connection."""
    yield first
    async with contextlib.aclosing(rest):
        async for piece in rest:
            yield piece


def file(ask: Callable[[Request], Awaitable[tuple[str, str, bytes]]]) -> Handler:
    """A file: name, media type, content."""

    async def handler(request: Request) -> Response:
        name, media_type, content = await ask(request)
        pieces = (content[start : start + (1 << 18)] for start in range(0, len(content), 1 << 18))
        headers = {
            "Content-Length": str(len(content)),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}",  # RFC 6266
        }
        return StreamingResponse(pieces, media_type=media_type, headers=headers)

    return handler


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
