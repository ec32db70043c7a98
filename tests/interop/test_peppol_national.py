"""The national rules of Peppol that we ask before an invoice leaves are those that `mock-einvoice` has."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from gateway import formats
from gateway.en16931 import Address, Identifier, Invoice
from gateway.errors import Unconvertible
from gateway.formats import peppol_national, ubl_invoice
from gateway.formats.ubl_profiles import PEPPOL, peppol_bis
from gateway.readers import read
from tests import invoices, rules

OPTIONS = formats.Options(language="en", now=invoices.NOW)
CVR, ORGNR = Identifier(value="10000009", scheme="0184"), Identifier(value="5560000001", scheme="0007")
GLN = Identifier(value="7300010000001", scheme="0088")
_replace = msgspec.structs.replace


def invoice(country: str, buyer_country: str = "FR", **seller: Any) -> Invoice:
    """From a seller in `country`, with these terms of it."""
    terms: dict[str, Any] = invoices.GERMAN
    home = Address(line1="Gade 1", city="City", post_code="1000", country=country)
    away = Address(line1="Street 1", city="City", post_code="1000", country=buyer_country)
    given: dict[str, Any] = {"vat_id": "SE556000000101", "legal_id": ORGNR, "address": home, "endpoint": GLN}
    plain = invoices.invoice(**terms)
    return _replace(
        plain,
        seller=_replace(plain.seller, **(given | seller)),
        buyer=_replace(plain.buyer, account_id=None, address=away, endpoint=GLN),
        payment=(),
    )


def theirs(content: Invoice) -> set[str]:
    """The national rules that `content`, written as it is, breaks for `mock-einvoice`."""
    data = ubl_invoice.written(content, PEPPOL, [])
    found = {each.split()[0] for each in rules.broken_of_profile(data)}
    return {each for each in found if each[:4] in ("SE-R", "NO-R", "DK-R")}


def reduced(rate: str) -> Invoice:
    plain = invoice("SE")
    line = _replace(plain.lines[0], vat_rate=D(rate))
    vat = _replace(plain.vat[0], rate=D(rate), amount=D(rate))
    totals = _replace(plain.totals, vat=D(rate), with_vat=100 + D(rate), payable=100 + D(rate))
    return _replace(plain, lines=(line,), vat=(vat,), totals=totals)


NUMBERED = Identifier(value="B-1")
CASES = {
    "sweden": (invoice("SE"), set()),
    "sweden, VAT number": (invoice("SE", vat_id="SE5560000001"), {"SE-R-001"}),
    "sweden, organisation number": (invoice("SE", legal_id=Identifier(value="55600000", scheme="0007")), {"SE-R-004"}),
    "sweden, last digit": (invoice("SE", legal_id=Identifier(value="5560000002", scheme="0007")), {"SE-R-013"}),
    "sweden, rate": (reduced("20"), {"SE-R-006"}),
    "sweden, reduced rate": (reduced("12"), set()),
    "swedish VAT number, seller elsewhere": (invoice("FI", vat_id="SE55"), set()),
    "norway": (invoice("NO", vat_id="NO123456789MVA", legal_id=None), {"NO-R-001"}),
    "norway, valid": (invoice("NO", vat_id="NO123456785MVA", legal_id=None), set()),
    "norway, without MVA": (invoice("NO", vat_id="NO123456785", legal_id=None), {"NO-R-001"}),
    "denmark": (invoice("DK", vat_id="DK10000009", legal_id=CVR), set()),
    "denmark, no number": (invoice("DK", vat_id="DK10000009", legal_id=None), {"DK-R-002"}),
    "denmark, scheme": (invoice("DK", vat_id="DK10000009"), {"DK-R-014"}),
    "denmark, identifier": (
        invoice("DK", "DK", vat_id="DK10000009", legal_id=CVR, identifiers=(NUMBERED,)), {"DK-R-013"}
    ),
    "denmark, identifier, buyer elsewhere": (
        invoice("DK", "SE", vat_id="DK10000009", legal_id=CVR, identifiers=(NUMBERED,)), set()
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_we_ask_is_what_peppol_asks(case: str) -> None:
    content, broken = CASES[case]
    assert {rule for rule, _ in peppol_national.broken(content)} == broken
    assert bool(theirs(content)) is bool(broken)
    assert broken <= theirs(content)


def test_a_danish_buyers_registration_has_its_scheme() -> None:
    content = invoice("DK", "DK", vat_id="DK10000009", legal_id=CVR)
    content = _replace(content, buyer=_replace(content.buyer, legal_id=Identifier(value="10000009")))
    assert [rule for rule, _ in peppol_national.broken(content)] == ["DK-R-017"]
    assert theirs(content) == {"DK-R-017"}


def test_a_broken_rule_holds_with_a_sentence() -> None:
    document = invoices.read(CASES["sweden, last digit"][0])
    with pytest.raises(Unconvertible) as refused:
        peppol_bis.write(document, invoices.SOURCE, OPTIONS)
    assert (refused.value.term, refused.value.sentence) == (
        "SE-R-013",
        "Peppol BIS Billing 3.0 needs an organisation number whose last digit checks the others (BT-30); "
        "it is 5560000002 (SE-R-013).",
    )


def test_what_is_notation_only_is_settled_and_named() -> None:
    """A Swedish number has a hyphen nearly everywhere but in Peppol."""
    content = invoice("SE", legal_id=Identifier(value="556000-0001", scheme="0007"), tax_id="123")
    made = peppol_bis.write(invoices.read(content), invoices.SOURCE, OPTIONS)
    again = read("", "", (), made.content)[0].invoice
    assert again is not None
    assert (again.seller.legal_id, again.seller.tax_id) == (ORGNR, None)
    assert rules.broken_of_profile(made.content) == []
    assert [note for note in made.notes if "SE-R" in note] == [
        "The seller's organisation number (BT-30) 556000-0001 is written 5560000001, as SE-R-003 wants it.",
        "The seller's tax number 123 (BT-32) was left out: SE-R-005 takes “Godkänd för F-skatt” only.",
    ]
    kept = invoice("SE", tax_id="Godkänd för F-skatt")
    assert peppol_bis.write(invoices.read(kept), invoices.SOURCE, OPTIONS).content.count(b"F-skatt") == 1
