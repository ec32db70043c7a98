"""One file with several documents on a real gateway: each its own row, mail and outcome, whatever happens meanwhile."""

from __future__ import annotations

import io
from email import message_from_bytes
from typing import Any

from pikepdf import Pdf

from tests.e2e.conftest import Make
from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway, until

SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
CUSTOMERS = {"1001": "F-101", "1002": "F-102", "1003": "F-103"}


def batch(*invoices: bytes) -> bytes:
    inside = b"".join(each.partition(b"?>")[2] for each in invoices)
    return f'<StandardBusinessDocument xmlns="{SBDH}">'.encode() + inside + b"</StandardBusinessDocument>"


def mails(gateway: Gateway) -> dict[str, list[bytes]]:
    """What was mailed, by address."""
    found: dict[str, list[bytes]] = {}
    for content in gateway.captured():
        found.setdefault(str(message_from_bytes(content)["To"]), []).append(content)
    return found


def attached(content: bytes) -> bytes:
    """The XML inside the PDF of a mail."""
    (page,) = (part for part in message_from_bytes(content).walk() if part.get_content_type() == "application/pdf")
    data = page.get_payload(decode=True)
    assert isinstance(data, bytes)
    with Pdf.open(io.BytesIO(data)) as pdf:
        (file,) = pdf.attachments.values()
        return file.get_file().read_bytes()


def ended(gateway: Gateway, count: int) -> list[dict[str, Any]]:
    """The documents, once there are `count` and all have left the pipeline and the queue."""

    def look() -> list[dict[str, Any]]:
        found = gateway.documents()
        return found if len(found) >= count and all(each["state"] in ("sent", "held") for each in found) else []

    return until(look, 30.0)


def test_three_documents_for_three_customers_through_kills(make_gateway: Make) -> None:
    gateway = make_gateway().start()
    for number in CUSTOMERS:
        gateway.cli("recipients", "add", "--number", number, "--email", f"c{number}@kund.example")
    gateway.put("batch.xml", batch(*(invoice(number, customer) for customer, number in CUSTOMERS.items())))
    until(lambda: not (gateway.drop / "batch.xml").exists())
    gateway.kill()  # between the claim of the file and its documents, or soon after
    gateway.start()
    until(gateway.documents)
    gateway.kill()
    gateway.start()
    documents = ended(gateway, 3)
    assert {(each["customer_number"], each["number"], each["state"]) for each in documents} == {
        (customer, number, "sent") for customer, number in CUSTOMERS.items()
    }
    assert len(documents) == 3
    found = mails(gateway)
    assert set(found) == {f"c{number}@kund.example" for number in CUSTOMERS}
    for customer, number in CUSTOMERS.items():
        copies = found[f"c{customer}@kund.example"]
        assert len({str(message_from_bytes(each)["Message-ID"]) for each in copies}) == 1  # copies are one message
        inside = attached(copies[0])
        assert number.encode() in inside
        assert not [other for other in CUSTOMERS.values() if other != number and other.encode() in inside]
    steps = [gateway.cli("documents", "why", each["id"])["trace"][0]["text"] for each in documents]
    assert sorted(steps) == [f"document {place} of 3 in batch.xml" for place in (1, 2, 3)]
    gateway.stop()


def test_one_outcome_each(gateway: Gateway) -> None:
    """Of three in a mailed file one is sent, one waits for its customer, one cannot be read."""
    gateway.cli("recipients", "add", "--number", "1001", "--email", "c1001@kund.example")
    broken = b"<?xml version='1.0'?><Invoice>"
    gateway.mail(("batch.xml", invoice("F-1", "1001") + invoice("F-2", "1002") + broken))
    documents = ended(gateway, 3)
    assert {(each["number"], each["state"], each["cause"]) for each in documents} == {
        ("F-1", "sent", None),
        ("F-2", "held", "no-recipient:1002"),
        (None, "held", "unreadable:malformed-xml"),
    }
    assert list(mails(gateway)) == ["c1001@kund.example"]
    (unread,) = (each for each in documents if each["number"] is None)
    why = gateway.cli("documents", "why", unread["id"])
    assert "document 3 of 3 in batch.xml" in [step["text"] for step in why["trace"]]
    gateway.cli("recipients", "add", "--number", "1002", "--email", "c1002@kund.example")
    until(lambda: "c1002@kund.example" in mails(gateway))
