"""A list handed to a real gateway: the document that waits for one of its rows goes out to the address of the row."""

from __future__ import annotations

import email
import email.policy

from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway
from tests.e2e.test_path import one


def test_a_list_lets_a_held_document_go_to_its_row(gateway: Gateway) -> None:
    gateway.put("a.xml", invoice())
    held = one(gateway, "held")
    number = held["cause"].rpartition(":")[2]
    file = gateway.folder / "list.csv"
    file.write_text(f"N° client;E-mail\n{number};ap@list.example\n# 2;x\n")
    answer = gateway.cli("recipients", "import", str(file), "--type", "invoice")
    assert (answer["counts"]["create"], answer["would_release"], answer["released"]) == (1, 1, 1)
    assert one(gateway, "sent")["id"] == held["id"]
    (message,) = gateway.captured()
    assert email.message_from_bytes(message, policy=email.policy.default)["To"] == "ap@list.example"
    gateway.cli("recipients", "undo", answer["batch"])
    assert gateway.cli("recipients", "list") == []
