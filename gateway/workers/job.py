"""What runs inside a worker process: take a job, run its function, answer. Ends when its parent ends."""

from __future__ import annotations

import importlib
import os
import resource
import socket
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from gateway.errors import Refused, Unconvertible, Unreadable
from gateway.workers import wire

_FRAMES = 12  # of a traceback; its message may quote a document and is cut short
_MESSAGE = 200  # characters

_decoder = msgspec.msgpack.Decoder(wire.Request)
_encoder = msgspec.json.Encoder()
_functions: dict[str, Callable[..., tuple[Any, bytes]]] = {}


def serve(sock: socket.socket) -> NoReturn:
    """Answer jobs until the daemon closes the socket."""
    while True:
        try:
            job, body, blob = wire.receive_request(sock)
            answer, result = _perform(_decoder.decode(body), blob)
            wire.send_answer(sock, job, answer, result)
        except (wire.Closed, ConnectionError):
            os._exit(0)
        except MemoryError:
            os._exit(wire.OUT_OF_MEMORY)


def _perform(request: wire.Request, blob: bytes) -> tuple[bytes, bytes]:
    """The encoded answer and its blob. Every exception of the job becomes an answer: this is a named border."""
    try:
        _allow_cpu(request.cpu)
        value, result = _function(request.function)(*request.args, blob)
        body = _encoder.encode(wire.Answer("value", value, peak=_peak()))
        if len(body) > wire.BODY_LIMIT or len(result) > wire.BLOB_LIMIT:
            raise ValueError(f"the answer is too large: {len(body)} and {len(result)} bytes")
        return body, bytes(result)
    except Unreadable as error:
        answer = wire.Answer("Unreadable", words=_words(error.cause, error.sentence), peak=_peak())
    except Unconvertible as error:
        answer = wire.Answer("Unconvertible", words=_words(error.term, error.sentence), peak=_peak())
    except Refused as error:
        answer = wire.Answer("Refused", words=_words(error.sentence, error.field), peak=_peak())
    except MemoryError:
        answer = wire.Answer("memory")
    except BaseException as error:
        answer = wire.Answer("exception", words=_words(_describe(error)), peak=_peak())
    return _encoder.encode(answer), b""


def _words(*texts: str | None) -> tuple[str | None, ...]:
    """Texts that JSON can carry; a sentence may quote what is no Unicode."""
    return tuple(text and text.encode("utf-8", "backslashreplace").decode() for text in texts)


def _function(name: str) -> Callable[..., tuple[Any, bytes]]:
    if name not in _functions:
        module, _, attribute = name.partition(":")
        _functions[name] = getattr(importlib.import_module(module), attribute)
    return _functions[name]


def _allow_cpu(seconds: float) -> None:
    """Raise the soft limit so that this job has `seconds` of CPU on top of what the worker has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + seconds) + 1, hard))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _describe(error: BaseException) -> str:
    """Where it went wrong, without the lines of code, and a short piece of the message."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    where = " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(error).__name__}: {str(error)[:_MESSAGE]} at {where}"
