"""Every kind of document that cannot go on is held on a real gateway and says why."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway
from tests.e2e.test_path import _workers, add, one

ORDER = b"""<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"><cbc:ID>O-1</cbc:ID>
  <cbc:IssueDate>2026-03-02</cbc:IssueDate><cac:SellerSupplierParty><cac:Party><cac:PartyIdentification>
  <cbc:ID>1042</cbc:ID></cac:PartyIdentification></cac:Party></cac:SellerSupplierParty></Order>"""


def test_a_document_that_no_format_holds_is_held_until_its_format_changes(gateway: Gateway) -> None:
    add(gateway)
    gateway.cli("settings", "set", "format.order", "peppol")  # Billing: no orders
    gateway.mail(("o.xml", ORDER))
    held = one(gateway, "held")
    assert (held["type"], held["cause"]) == ("order", "conversion:type")
    assert held["sentence"].endswith(".")
    gateway.cli("settings", "set", "format.order", "ubl")
    one(gateway, "sent", 4.0)


def test_an_unknown_file_is_held_as_such(gateway: Gateway) -> None:
    gateway.put("a.xml", b"<note><to>you</to></note>")
    assert one(gateway, "held")["cause"] == "unreadable:unknown-type"


def test_a_document_that_costs_two_workers_is_held(gateway: Gateway) -> None:
    """Workers are killed as fast as they come until the document is given up; then good ones go out again."""
    add(gateway)
    ending = threading.Event()

    def kill() -> None:
        while not ending.is_set():
            for pid in _workers(gateway)[1:]:  # the first is the process that forks the others
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            ending.wait(0.002)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        gateway.put("a.xml", invoice())
        held = one(gateway, "held", 60.0)
    finally:
        ending.set()
        killer.join()
    assert held["cause"] == "unreadable:crash"
    gateway.cli("documents", "release", held["id"])
    assert one(gateway, "sent")["id"] == held["id"]


def test_a_bounce_to_the_gateway_never_becomes_a_document(gateway: Gateway) -> None:
    gateway.submit(b"From: MAILER-DAEMON@relay.example\r\nSubject: Undelivered\r\n\r\nsorry\r\n", sender="")
    ended = one(gateway, "cancelled")
    assert (ended["cause"], ended["deliveries"]) == (None, [])
    assert ended["sentence"] == "The mail is a report on the delivery of another mail and no document."
    gateway.submit(b"From: mfp@seller.example\r\nSubject: scan\r\n\r\nno report\r\n", sender="")
    assert one(gateway, "held")["cause"] == "no-document:bounce"
