"""The mail log: one function per thing that can happen to a submission, a document or a delivery.

A line is the event's name and `key=value` pairs; what came from outside is escaped so that it can neither start a new
line nor reach a terminal as a control sequence. Technical trouble goes to the loggers of the modules, never here;
contents and passwords go nowhere.
"""

from __future__ import annotations

import json
import logging
import re

from gateway import metrics
from gateway.model import Outcome, Peer, show_id

_log = logging.getLogger("gateway.mail")
_MAX = 500  # characters of one value
_PLAIN = re.compile(rf"[!#-<>-~]{{1,{_MAX}}}")  # neither a double quote nor an equals sign


def quote(value: object) -> str:
    """`value` as one harmless word: bare when it is plain ASCII, else a JSON string with everything odd escaped."""
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    if len(text) > _MAX:
        text = text[:_MAX] + "…"
    return json.dumps(text).replace("\x7f", "\\u007f")


def _event(name: str, level: int = logging.INFO, **values: object) -> None:
    metrics.EVENTS.labels(name).inc()
    if _log.isEnabledFor(level):
        pairs = (f"{key}={quote(value)}" for key, value in values.items() if value is not None and value != "")
        _log.log(level, " ".join((name, *pairs)))


def received(submission: int, source: str, channel: str, peer: Peer, size: int, notes: str = "") -> None:
    """A submission is stored and was answered with success."""
    _event(
        "received",
        submission=show_id(submission),
        source=source,
        channel=channel,
        peer=peer.host,
        helo=peer.helo,
        size=size,
        notes=notes,
    )


def duplicate(first: int, source: str, channel: str, peer: Peer, name: str = "") -> None:
    """The same content was handed in again within the window; no second document was made (design D19)."""
    _event("duplicate", submission=show_id(first), source=source, channel=channel, peer=peer.host, file=name)


def joined(submission: int, source: str, pieces: int, size: int) -> None:
    """The pieces of a mail are all there, and are one submission now."""
    _event("joined", submission=show_id(submission), source=source, pieces=pieces, size=size)


def ended(document: int, cause: str, sentence: str) -> None:
    """What came is no document, and nobody is waited for."""
    _event("ended", document=show_id(document), cause=cause, reason=sentence)


def refused(peer: Peer, reason: str, source: str = "", address: str = "") -> None:
    """An SMTP client or one of its commands was refused."""
    _event(
        "refused",
        logging.WARNING,
        peer=peer.host,
        listener=peer.listener,
        helo=peer.helo,
        source=source,
        address=address,
        reason=reason,
    )


def dropped_file(submission: int, source: str, name: str, size: int) -> None:
    """A dropped file is stored as a submission."""
    _event("dropped", submission=show_id(submission), source=source, file=name, size=size)


def refused_file(source: str, name: str, reason: str) -> None:
    """A dropped file could not be taken; it stays visible in `.failed/` or where it was."""
    _event("refused-file", logging.WARNING, source=source, file=name, reason=reason)


def folder_failed(source: str, problem: str) -> None:
    """Files cannot be made or moved in a drop folder: somebody has to see to it."""
    _event("folder-failed", logging.ERROR, source=source, reason=problem)


def folder_works(source: str) -> None:
    """Files can be made and moved in a drop folder again."""
    _event("folder-works", source=source)


def recognised(submission: int, document: int, kind: str, number: str | None, customer: str | None) -> None:
    """A document was found in a submission."""
    _event(
        "recognised",
        submission=show_id(submission),
        document=show_id(document),
        type=kind,
        number=number,
        customer=customer,
    )


def held(document: int, cause: str, sentence: str) -> None:
    """A document cannot go on; it waits for a person or the event that removes the cause."""
    _event("held", logging.WARNING, document=show_id(document), cause=cause, reason=sentence)


def released(documents: int, key: str) -> None:
    """Held documents go through the pipeline again."""
    _event("released", documents=documents, event=key)


def queued(document: int, message_id: str, deliveries: int, rule: str, file: str) -> None:
    """A message was composed and signed, and its deliveries wait."""
    _event(
        "queued", document=show_id(document), message_id=message_id, deliveries=deliveries, rule=rule, attachment=file
    )


def removed(contents: int, size: int, documents: int, files: int) -> None:
    """What had ended and was old enough is removed: contents of `size` bytes, rows of documents, dropped files."""
    _event("removed", contents=contents, bytes=size, documents=documents, files=files)


def audit_root(seq: int, digest: bytes) -> None:
    """Once a day: number and hash of the audit's newest row; the chain of rows must hold it for ever."""
    _event("audit-root", root=f"{seq}:{digest.hex()}")


def _delivery(
    name: str, level: int, delivery: int, document: int, address: str, outcome: Outcome, **more: object
) -> None:
    reply = outcome.reply
    _event(
        name,
        level,
        delivery=show_id(delivery),
        document=show_id(document),
        to=address,
        relay=outcome.peer,
        tls=outcome.tls,
        code=reply.code or None,
        enhanced=reply.enhanced,
        reply=reply.text,
        **more,
    )


def sent(delivery: int, document: int, address: str, outcome: Outcome) -> None:
    """The next hop accepted the message for this address."""
    _delivery("sent", logging.INFO, delivery, document, address, outcome)


def deferred(delivery: int, document: int, address: str, outcome: Outcome, next_attempt: str) -> None:
    """An attempt failed for a reason that may pass."""
    _delivery("deferred", logging.INFO, delivery, document, address, outcome, next=next_attempt)


def bounced(delivery: int, document: int, address: str, outcome: Outcome) -> None:
    """The delivery ended without success."""
    _delivery("bounced", logging.WARNING, delivery, document, address, outcome)


def stopped(next_hop: str, outcome: Outcome) -> None:
    """A next hop refuses whatever we send: it is paused, and a person should look."""
    reply = outcome.reply
    _event("stopped", logging.ERROR, hop=next_hop, code=reply.code, enhanced=reply.enhanced, reply=reply.text)
