"""The payment code as a banking app sees it: read from the picture of a rendered page by `zxing-cpp`."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec
import pypdfium2
import pytest
import zxingcpp

from gateway import formats
from gateway.en16931 import Invoice, PaymentMeans, Totals
from tests import invoices
from tests.invoices import MEANS

_replace = msgspec.structs.replace
PAYEE = "Ελληνική Ξυλεία Α.Ε."


def codes(pdf: bytes) -> list[tuple[str, str]]:
    """The text and the error correction level of every bar code on every page, at 144 dpi."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    for page in document:
        found += zxingcpp.read_barcodes(page.render(scale=2).to_pil())
    document.close()
    return [(code.text, code.ec_level) for code in found]


def paying(**terms: Any) -> Invoice:
    return invoices.invoice(payment=(_replace(MEANS, **terms),))


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (
            paying(),
            ["XXXXSESS", "Nordvik Skog AB", "SE4950000000012340009876", "EUR125.00", "", "", "2026-1042"],
        ),
        (
            paying(bic=None, account_name=PAYEE, reference="RF18 5390 0754 7034"),
            ["", PAYEE, "SE4950000000012340009876", "EUR125.00", "", "RF18539007547034"],
        ),
        (
            paying(account_name="N" * 80, reference="Räkning & " + "x" * 200),
            ["XXXXSESS", "N" * 70, "SE4950000000012340009876", "EUR125.00", "", "", "Räkning & " + "x" * 130],
        ),
    ],
)
@pytest.mark.parametrize("target", ["pdf", "facturx"])
def test_the_code_on_the_page_says_the_transfer(content: Invoice, lines: list[str], target: str) -> None:
    """EPC069-12 §3: service tag, version, character set (1 is UTF-8), identification; then what is to be paid."""
    options = formats.Options(language="en", now=invoices.NOW)
    made = formats.convert(invoices.read(content), invoices.SOURCE, target, options)
    assert codes(made.content) == [("\n".join(["BCD", "002", "1", "SCT", *lines]), "M")]


@pytest.mark.parametrize(
    "content",
    [
        invoices.invoice(currency="SEK"),
        invoices.invoice(type_code="381"),
        invoices.invoice(payment=(MEANS, _replace(MEANS, account="DE75512108001245126199"))),
        invoices.invoice(payment=(MEANS, PaymentMeans(code="59", mandate="M-1"))),
        invoices.invoice(payment=()),
        paying(account="5050-1055"),
        paying(account="SE4950000000012340009877"),
        invoices.invoice(totals=Totals(lines=D(100), with_vat=D(125), paid=D(125), payable=D(0))),
    ],
    ids=["currency", "credit note", "two accounts", "debit beside", "no account", "bankgiro", "check digits", "paid"],
)
def test_where_the_invoice_does_not_allow_it_there_is_no_code(content: Invoice) -> None:
    pdf = invoices.pdf(content)
    assert codes(pdf) == []
    assert "Scan to pay" not in pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()
