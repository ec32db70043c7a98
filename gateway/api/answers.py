"""What an answer looks like in HTTP: JSON, and an error as one object.

`error`, a sentence, and `field`; a conflict adds `current`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from gateway.errors import Conflict, Corrupt, Forbidden, GatewayError, NotFound, Refused, Temporary


def json_of(value: Any, code: int = 200) -> Response:
    """`value`, anything msgspec can write, as JSON with the HTTP status `code`."""
    return Response(msgspec.json.encode(value), code, media_type="application/json")


_STATUS: tuple[tuple[type[GatewayError], int], ...] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Refused, 400),
    (Conflict, 409),
    (Temporary, 503),
    (Corrupt, 503),
)


async def say_error(request: Request, error: Exception) -> Response:
    """An error of the gateway, as `described`."""
    assert isinstance(error, GatewayError)
    return json_of(described(error), status_of(error))


def status_of(error: GatewayError) -> int:
    """The HTTP status of `error`; 400 for what has none of its own."""
    return next((code for kind, code in _STATUS if isinstance(error, kind)), 400)


def described(error: GatewayError) -> dict[str, Any]:
    """What the caller gets to read of `error`."""
    answer: dict[str, Any] = {"error": error.sentence, "field": getattr(error, "field", None)}
    if isinstance(error, Conflict):
        answer["current"] = error.current
    if isinstance(error, Corrupt):
        answer["corrupt"] = True
    return answer


async def say_http_error(request: Request, error: Exception) -> Response:
    """A path or method that is not there."""
    assert isinstance(error, HTTPException)
    sentence = f"{request.method} {request.url.path} is nothing the gateway does."
    return json_of({"error": sentence, "field": None}, error.status_code)


async def say_fault(request: Request, error: Exception) -> Response:
    """A fault of ours; uvicorn logs its traceback."""
    return json_of({"error": "The gateway failed at this; its log says more.", "field": None}, 500)
