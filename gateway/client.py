"""The admin socket's client: HTTP over a Unix socket with nothing but the standard library (RFC 9112)."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from gateway.errors import Conflict, Corrupt, Forbidden, GatewayError, NotFound, Refused, Temporary

_TIMEOUT = 60.0  # seconds without a byte; a backup of a large database answers only when it is done
_PATH_LIMIT = 100  # bytes; sun_path holds 108 on Linux (unix(7))


def connect(path: Path, timeout: float = _TIMEOUT) -> socket.socket:
    """A socket connected to the Unix socket at `path`, however long its name is; OSError when nobody answers."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        if len(os.fsencode(path)) < _PATH_LIMIT:
            connection.connect(str(path))
        else:
            _through_folder(path, connection.connect)
    except BaseException:
        connection.close()
        raise
    return connection


def _through_folder(path: Path, use: Any) -> None:
    """Name a socket by an open descriptor of its folder, where its whole path is too long for the kernel."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        use(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def bind(path: Path) -> socket.socket:
    """A socket bound at `path` that only its owner and group may connect to; OSError when that cannot be."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o117)  # 0660 from the first moment on, not after a chmod
    try:
        if len(os.fsencode(path)) < _PATH_LIMIT:
            listener.bind(str(path))
        else:
            _through_folder(path, listener.bind)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


class _Connection(http.client.HTTPConnection):
    """HTTPConnection over a Unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("gateway", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = connect(self._path, self.timeout or _TIMEOUT)


class Client:
    """Asks the gateway that listens at `path`.

    Every method raises what the gateway answers: Refused, NotFound, Forbidden, Conflict, Temporary; Refused too, with a
    sentence that says how to start it, when no gateway answers.
    """

    def __init__(self, path: Path, timeout: float = _TIMEOUT) -> None:
        self.path = path
        self._timeout = timeout

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        """The JSON at `path`."""
        return self._json("GET", path, query)

    def post(self, path: str, body: Mapping[str, object], query: Mapping[str, object] | None = None) -> Any:
        """Do what `path` names with the values of `body`; the JSON answered."""
        return self._json("POST", path, query, body)

    def put(self, path: str, body: Mapping[str, object], query: Mapping[str, object] | None = None) -> Any:
        """Store `body` at `path`; the JSON answered."""
        return self._json("PUT", path, query, body)

    def patch(self, path: str, body: Mapping[str, object], version: int | None = None) -> Any:
        """Change the values of `body` at `path`, if it still has the version; the JSON answered."""
        return self._json("PATCH", path, None, body, version)

    def delete(self, path: str, version: int | None = None, reason: str | None = None) -> Any:
        """Delete what stands at `path`, if it still has the version; the JSON answered."""
        return self._json("DELETE", path, None, {"reason": reason} if reason else None, version)

    def stream(self, path: str, query: Mapping[str, object] | None = None) -> Iterator[bytes]:
        """The bytes at `path`, piece by piece."""
        connection = _Connection(self.path, self._timeout)
        try:
            response = self._ask(connection, "GET", _with_query(path, query), None, None)
            while piece := response.read(1 << 20):
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error) from error
        finally:
            connection.close()

    def events(self, after: str | None = None) -> Iterator[str]:
        """The ids of what changes, as it changes; an empty text now and then, when nothing does."""
        connection = _Connection(self.path, self._timeout)
        try:
            response = self._ask(connection, "GET", _with_query("/events", {"after": after}), None, None)
            while line := response.readline():
                if line.startswith(b"id: "):
                    yield line[4:].strip().decode()
                elif line.startswith(b":"):
                    yield ""
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._broken(error) from error
        finally:
            connection.close()

    def upload(self, path: str, file: bytes, query: Mapping[str, object] | None = None) -> Iterator[dict[str, Any]]:
        """Hand in the bytes of a file; the JSON objects that are answered, as they come."""
        connection = _Connection(self.path, self._timeout)
        try:
            response = self._ask(connection, "POST", _with_query(path, query), file, None)
            while line := response.readline():
                step = json.loads(line)
                if "error" in step:
                    raise _error(step.get("status", 400), line)
                yield step
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._broken(error) from error
        finally:
            connection.close()

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        version: int | None = None,
    ) -> Any:
        connection = _Connection(self.path, self._timeout)
        try:
            response = self._ask(connection, method, _with_query(path, query), body, version)
            return json.loads(response.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._broken(error) from error
        finally:
            connection.close()

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Mapping[str, object] | bytes | None,
        version: int | None,
    ) -> http.client.HTTPResponse:
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        headers = {"Content-Type": kind} if body is not None else {}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        if response.status >= 400:
            raise _error(response.status, response.read())
        return response

    def _broken(self, error: Exception) -> GatewayError:
        if isinstance(error, (FileNotFoundError, ConnectionRefusedError, NotADirectoryError)):
            return Refused(f"The gateway is not running (nobody answers at {self.path}); `gateway serve` starts it.")
        if isinstance(error, PermissionError):
            return Forbidden(f"You may not use {self.path}: only its owner, its group and root may.")
        if isinstance(error, TimeoutError):
            return Temporary(f"The gateway at {self.path} did not answer within {self._timeout:.0f} seconds.")
        return Temporary(f"The connection to the gateway at {self.path} broke: {error}.")


def path_of(*words: str) -> str:
    """The path made of `words`, each escaped (RFC 3986 §2.1)."""
    return "/" + "/".join(quote(word, safe="") for word in words)


def _with_query(path: str, query: Mapping[str, object] | None) -> str:
    given = {name: str(value) for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _error(status: int, body: bytes) -> GatewayError:
    try:
        answer = json.loads(body)
        sentence, field = str(answer["error"]), answer.get("field")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Temporary(f"The gateway answered {status} without saying why.")
    if status == 409:
        return Conflict(sentence, answer.get("current") or {})
    if status == 404:
        return NotFound(sentence, field)
    if status == 403:
        return Forbidden(sentence, field)
    if status >= 500:
        return Corrupt(sentence) if answer.get("corrupt") else Temporary(sentence)
    return Refused(sentence, field)
