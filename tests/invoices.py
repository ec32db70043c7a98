"""Invoices in EN 16931 terms for tests of the formats."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from typing import Any

import msgspec

from gateway import formats
from gateway.en16931 import (
    Address,
    Contact,
    Identifier,
    Invoice,
    Line,
    Party,
    PaymentMeans,
    Totals,
    VatBreakdown,
)
from gateway.model import Attachment, ReadDocument

NOW = dt.datetime(2026, 11, 24, 9, 30, 5, tzinfo=dt.UTC)
SOURCE = Attachment(name="F-1042.xml", media_type="application/xml", content=b'<?xml version="1.0"?>\r\n<Invoice/>\n')

SELLER = Party(
    name="Nordvik Skog AB",
    legal_id=Identifier(value="5560000001", scheme="0007"),
    vat_id="SE556000000101",
    address=Address(line1="Storgatan 14", post_code="903 26", city="Umeå", country="SE"),
    contact=Contact(name="Elin Sjöberg", phone="+46 90 555 01 00", email="faktura@nordvik.example"),
)
BUYER = Party(
    name="Atelier Beaumont SARL",
    account_id="0010427",
    address=Address(line1="12 rue des Tanneurs", post_code="69009", city="Lyon", country="FR"),
)
# What XRechnung and Peppol demand beside the rest of `invoice`.
GERMAN: dict[str, Any] = {
    "buyer_reference": "04011000-12345-34",
    "seller": msgspec.structs.replace(SELLER, endpoint=Identifier(value="SE556000000101", scheme="9955")),
    "buyer": msgspec.structs.replace(BUYER, endpoint=Identifier(value="FR12345678901", scheme="9957")),
}
MEANS = PaymentMeans(
    code="58", account="SE4950000000012340009876", bic="XXXXSESS", account_name="Nordvik Skog AB", reference="2026-1042"
)


def line(number: int, **terms: Any) -> Line:
    """A line of one piece for 100.00."""
    given: dict[str, Any] = {"name": f"Article {number}", "quantity": D(1), "unit": "C62", "price": D(100)}
    given |= {"amount": D("100.00"), "vat_category": "S", "vat_rate": D(25)}
    return Line(id=str(number), **(given | terms))


def invoice(**terms: Any) -> Invoice:
    """A plain invoice of one line."""
    given: dict[str, Any] = {
        "number": "F-1042",
        "issue_date": dt.date(2026, 11, 20),
        "due_date": dt.date(2026, 12, 20),
        "type_code": "380",
        "currency": "EUR",
        "seller": SELLER,
        "buyer": BUYER,
        "payment": (MEANS,),
        "lines": (line(1),),
        "vat": (VatBreakdown(category="S", rate=D(25), taxable=D("100.00"), amount=D("25.00")),),
        "totals": Totals(
            lines=D("100.00"), without_vat=D("100.00"), vat=D("25.00"), with_vat=D("125.00"), payable=D("125.00")
        ),
    }
    return Invoice(**(given | terms))


def read(content: Invoice, **fields: Any) -> ReadDocument:
    """What a reader gives for `content`."""
    return ReadDocument(format="ubl", type="invoice", invoice=content, **fields)


def pdf(content: Invoice, language: str = "en", source: Attachment = SOURCE, **options: Any) -> bytes:
    """`content` rendered."""
    given = formats.Options(language=language, now=NOW)
    return formats.convert(read(content), source, "pdf", msgspec.structs.replace(given, **options)).content
