"""The Unix socket that people's tools come to, served in the daemon's own loop, and who the kernel says comes.

The user id of the process at the other end (SO_PEERCRED, unix(7)) is in each request's state as `uid`; nothing that the
request says can change it.
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import logging
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway import client
from gateway.errors import Refused


class _PeerProtocol(H11Protocol):
    """Puts the user id of the process at the other end of the socket into each request's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "uid": peer_uid(transport.get_extra_info("socket"))}


def peer_uid(connection: socket.socket) -> int:
    """The effective user id that the other end had when it connected."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[1])


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


class SocketServer:
    """Serves an ASGI application at a Unix socket for its owner and one group (None: the owner's)."""

    def __init__(self, socket_path: Path, app: Any, group: str | None) -> None:
        self._path = socket_path
        self._app = app
        self._group = group
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns when the socket answers. Refused when another gateway answers there already."""
        listener = self._bind()
        config = uvicorn.Config(
            self._app,
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
            listener = client.bind(self._path)
        except OSError as error:
            raise Refused(f"The admin socket {self._path} cannot be made: {error.strerror or error}.") from error
        try:
            self._give_to_group()
        except BaseException:
            listener.close()
            self._path.unlink(missing_ok=True)
            raise
        return listener

    def _give_to_group(self) -> None:
        """Let the members of the group connect; the mode is 0660 already."""
        if self._group is None:
            return
        try:
            os.chown(self._path, -1, grp.getgrnam(self._group).gr_gid)
        except KeyError as error:
            raise Refused(f"The admin socket's group {self._group} is not there.") from error
        except OSError as error:
            why = error.strerror or error
            hint = "the gateway's user must be a member of it"
            raise Refused(f"The admin socket cannot be given to the group {self._group}: {why}; {hint}.") from error

    async def stop(self) -> None:
        """Answer what is being asked, at most five seconds, then close the socket and remove it."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task
        self._path.unlink(missing_ok=True)
        self._server = self._task = None
