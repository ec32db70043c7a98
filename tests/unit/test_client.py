"""The client against servers that answer badly, late or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.client import Client, path_of
from gateway.errors import Conflict, Corrupt, Forbidden, GatewayError, NotFound, Refused, Temporary


class Peer:
    """Answers every connection at a Unix socket with the same bytes; None: with silence."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answer: bytes | None = b""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.recv(65536)
            if self.answer is None:
                self._held.append(connection)
                continue
            connection.sendall(self.answer)
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._held:
            connection.close()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    made = Peer(tmp_path / "peer.sock")
    yield made
    made.close()


def answer(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("400 x", '{"error": "No.", "field": "email"}', Refused),
        ("403 x", '{"error": "No.", "field": null}', Forbidden),
        ("404 x", '{"error": "No.", "field": "id"}', NotFound),
        ("409 x", '{"error": "No.", "current": {"version": 2}}', Conflict),
        ("503 x", '{"error": "No."}', Temporary),
        ("503 x", '{"error": "No.", "corrupt": true}', Corrupt),
        ("500 x", '{"error": "No."}', Temporary),
    ],
)
def test_answer_becomes_the_error_it_was(peer: Peer, status: str, body: str, kind: type[GatewayError]) -> None:
    peer.answer = answer(status, body)
    with pytest.raises(GatewayError) as caught:
        Client(peer.path).get("/x")
    assert type(caught.value) is kind
    assert caught.value.sentence == "No."
    if isinstance(caught.value, Conflict):
        assert caught.value.current == {"version": 2}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        answer("500 x", ""),
        answer("400 x", "[]"),
        answer("400 x", "{}"),
        answer("502 x", "<html>"),
        answer("200 x", "{"),
        b"HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\n{}",
    ],
)
def test_nonsense_is_a_passing_trouble(peer: Peer, raw: bytes) -> None:
    peer.answer = raw
    with pytest.raises(Temporary):
        Client(peer.path).get("/x")


def test_silence_ends(peer: Peer) -> None:
    peer.answer = None
    with pytest.raises(Temporary, match="did not answer"):
        Client(peer.path, timeout=0.2).get("/x")


@pytest.mark.parametrize("name", ["missing.sock", "missing/folder.sock", "file.sock/below"])
def test_nobody_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.sock").write_text("")
    with pytest.raises(Refused, match=r"not running.*gateway serve"):
        Client(tmp_path / name).get("/status")


def test_path_of_escapes() -> None:
    assert path_of("settings", "a/b c") == "/settings/a%2Fb%20c"
