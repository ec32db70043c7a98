"""Mails of old systems through a real gateway: pieces that outlive a SIGKILL, quirks that outlive a restart."""

from __future__ import annotations

import email
import email.policy
import sqlite3
from email.message import EmailMessage

from tests.e2e.conftest import Make
from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway, until
from tests.pipeline.work import attached, parts


def pieces(count: int) -> list[bytes]:
    """A mail with an invoice as a scanner sends it: in pieces, cut at line ends."""
    lines = attached(("F-77.xml", invoice())).splitlines(keepends=True)
    size = len(lines) // count + 1
    head = "Subject: scan [{0}/{1}]\r\nContent-Type: message/partial;\r\n id=scan-1; number={0}; total={1}\r\n\r\n"
    return [
        head.format(number, count).encode() + b"".join(lines[at : at + size])
        for number, at in enumerate(range(0, len(lines), size), 1)
    ]


def states(gateway: Gateway) -> dict[str, str]:
    """State and sentence of each document, as the database has them: cheaper to ask again and again."""
    with sqlite3.connect(gateway.folder / "var" / "gateway.db") as database:
        rows = database.execute("SELECT state || ' ' || file_name, coalesce(sentence, '') FROM document").fetchall()
    database.close()
    return dict(rows)


def test_a_mail_in_three_pieces_is_joined_over_a_kill_and_its_quirks_are_counted(make_gateway: Make) -> None:
    gateway = make_gateway().start()
    gateway.cli("recipients", "add", "--number", "1042", "--email", "kund@kopare.example", "--format", "ubl")
    one, two, three = pieces(3)
    gateway.submit(three, "1042", "scan@seller.example")
    until(lambda: "1 of 3 pieces" in states(gateway).get("received piece-3-of-3.eml", ""))
    gateway.submit(one, "1042", "scan@seller.example")
    gateway.kill()  # whatever it was doing with it
    gateway.start()
    until(lambda: "piece 2 may come until" in states(gateway).get("received piece-1-of-3.eml", ""))
    gateway.stop()
    gateway.start()
    gateway.submit(two, "1042", "scan@seller.example")
    (content,) = until(gateway.captured)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert parts(message)[0][2] == invoice()
    (sent,) = until(lambda: gateway.documents(state="sent"))
    assert (sent["number"], sent["customer_number"]) == ("F-77", "1042")
    ended = [f"cancelled piece-{number}-of-3.eml" for number in (1, 2, 3)]
    assert sorted(states(gateway)) == [*ended, "sent F-77.xml"]
    (local, _) = gateway.cli("sources", "list")
    seen = {quirk["name"]: quirk["count"] for quirk in local["quirks"]}
    assert seen["partial"] >= 2  # of this start and the one before; a SIGKILL may lose the last seconds' counts
    gateway.stop()
