"""Documents by mail: a finished SMTP transaction becomes a submission in the store, or a reply that says why not."""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway import maillog
from gateway.config import Listener, Source
from gateway.model import UTC, Accept, Envelope, NewSubmission, Reply, new_id, show_id
from gateway.smtp.limits import Limits
from gateway.smtp.quirks import Quirk, Quirks
from gateway.smtp.server import Handed, Server


def _now() -> dt.datetime:
    return dt.datetime.now(UTC)


def dedupe_key(source: str, envelope: Envelope, sha256: bytes) -> bytes:
    """SHA-256 over source, envelope and content hash: equal for a repetition (design D19). The order in which a
    client names the addresses does not count."""
    digest = hashlib.sha256()
    for part in (source, envelope.mail_from, *sorted(envelope.rcpt_to)):
        data = part.encode()
        digest.update(len(data).to_bytes(4, "big") + data)
    digest.update(sha256)
    return digest.digest()


class SubmissionServer:
    """SMTP submission: listeners in, `accept` out.

    `room` says in one sentence why nothing can be taken now (queue too long, disk too full), or None. `spool` is the
    folder of temporary files. `quirks` counts what clients do against the standards. `clock` gives the time of receipt.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        sources: Sequence[Source],
        accept: Accept,
        *,
        hostname: str = "localhost",
        room: Callable[[], str | None] = lambda: None,
        limits: Limits | None = None,
        spool: Path | None = None,
        sockets: Sequence[socket.socket] = (),
        quirks: Quirks | None = None,
        clock: Callable[[], dt.datetime] = _now,
    ) -> None:
        self._accept = accept
        self._clock = clock
        self.server = Server(
            listeners,
            sources,
            self._receive,
            hostname=hostname,
            room=room,
            limits=limits,
            spool=spool,
            sockets=sockets,
            quirks=quirks,
        )

    @property
    def ports(self) -> tuple[int, ...]:
        """The real port of each listener, in their order; empty before `start`."""
        return self.server.ports

    async def start(self) -> None:
        """Opens the listeners; ConfigError names one that cannot be opened."""
        await self.server.start()

    async def stop(self, grace: float = 30.0) -> None:
        """Closes the listeners, lets what runs end within `grace` seconds."""
        await self.server.stop(grace)

    def reload_certificates(self) -> None:
        """Reads the listeners' certificates again."""
        self.server.reload_certificates()

    def quirks(self, source: str) -> list[Quirk]:
        """What the clients of `source` did against the standards."""
        return self.server.quirks.of(source)

    async def _receive(self, handed: Handed) -> Reply:
        """Answers success only after `accept` has: accepted means durable (design D1). A null sender is stored like
        any other; the pipeline knows it by its empty `mail_from`."""
        source, envelope, body = handed.source, handed.envelope, handed.body
        dedupe = dedupe_key(source.name, envelope, body.sha256) if source.duplicates == "drop" else None
        submission = NewSubmission(
            id=new_id(),
            company=source.company,
            source=source.name,
            channel="smtp",
            envelope=envelope,
            peer=handed.peer,
            body=body,
            received_at=self._clock(),
            dedupe=dedupe,
        )
        accepted = await self._accept(submission)
        if accepted.duplicate:
            maillog.duplicate(accepted.id, source.name, "smtp", handed.peer)
        else:
            maillog.received(accepted.id, source.name, "smtp", handed.peer, body.size, handed.notes)
        return Reply(code=250, enhanced="2.0.0", text=f"Ok: queued as {show_id(accepted.id)}")
