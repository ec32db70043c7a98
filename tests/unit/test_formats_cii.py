"""Writing CII: what it orders and names otherwise than UBL, and what it cannot hold."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from lxml import etree

from gateway import formats
from gateway.en16931 import Identifier, Invoice, PaymentMeans, Reference
from gateway.model import Attachment
from gateway.readers import read as read_file
from gateway.readers.cii_paths import D16B
from tests.invoices import BUYER, NOW, SELLER, SOURCE, invoice, line, read

OPTIONS = formats.Options(language="en", now=NOW)


def made(**terms: Any) -> Attachment:
    return formats.convert(read(invoice(**terms)), SOURCE, "en16931-cii", OPTIONS)


def back(attachment: Attachment) -> Invoice:
    content = read_file("", "", (), attachment.content)[0].invoice
    assert content is not None
    return content


def test_the_terms_come_back() -> None:
    written = made()
    assert (written.name, written.media_type, written.notes) == ("F-1042.xml", "application/xml", ())
    wanted = invoice(specification="urn:cen.eu:en16931:2017")
    buyer = msgspec.structs.replace(BUYER, account_id=None, identifiers=(Identifier(value="0010427"),))
    assert back(written) == msgspec.structs.replace(wanted, buyer=buyer)


def test_the_delivery_stays_though_it_is_empty() -> None:
    tree = etree.fromstring(made().content)
    assert len(D16B.xpath.nodes(tree, D16B.delivery)) == 1


@pytest.mark.parametrize(("code", "written"), [("3", "5"), ("35", "29"), ("432", "72")])
def test_tax_points_in_the_codes_of_each_syntax(code: str, written: str) -> None:
    vat = (*invoice().vat, msgspec.structs.replace(invoice().vat[0], category="E", rate=D(0), amount=D(0)))
    attachment = made(tax_point_code=code, vat=vat)
    path = f"{D16B.settlement}/ram:ApplicableTradeTax/ram:DueDateTypeCode"
    assert D16B.xpath.values(etree.fromstring(attachment.content), path) == [written]
    assert back(attachment).tax_point_code == code


def test_a_tax_point_date_stands_once() -> None:
    vat = (*invoice().vat, msgspec.structs.replace(invoice().vat[0], category="E", rate=D(0), amount=D(0)))
    attachment = made(tax_point_date=dt.date(2026, 2, 28), vat=vat)
    assert attachment.content.count(b"<ram:TaxPointDate>") == 1
    assert back(attachment).tax_point_date == dt.date(2026, 2, 28)


@pytest.mark.parametrize(
    ("account", "element"), [("SE4950000000012340009876", b"IBANID>"), ("5050-1055", b"ProprietaryID>")]
)
def test_an_account_that_is_no_iban(account: str, element: bytes) -> None:
    attachment = made(payment=(PaymentMeans(code="30", account=account, account_name="N"),))
    assert account.encode() + b"</ram:" + element in attachment.content
    assert back(attachment).payment[0].account == account


def test_what_all_payment_means_share_is_said_once() -> None:
    payment = tuple(PaymentMeans(code="30", account=str(n), reference=f"R-{n}") for n in (1, 2))
    attachment = made(payment=payment)
    assert [means.reference for means in back(attachment).payment] == ["R-1", "R-1"]
    assert attachment.notes == ("“R-2” (BT-83) has no place beside “R-1” of the other payment means.",)


def test_a_discount_without_a_gross_price_is_lost_and_said() -> None:
    attachment = made(lines=(line(1, price_discount=D(5)),))
    assert attachment.notes == ("The discount (BT-147) of line 1 has no place without a gross price (BT-148).",)


def test_identifiers_without_a_scheme_come_first() -> None:
    identifiers = (Identifier(value="77", scheme="0088"), Identifier(value="S-1"))
    attachment = made(seller=msgspec.structs.replace(SELLER, identifiers=identifiers))
    assert back(attachment).seller.identifiers == identifiers[::-1]


def test_attachments_go_along() -> None:
    file = Reference(id="1", description="List", file_name="a.csv", media_type="text/csv", size=3, content=b"a;b")
    assert back(made(supporting=(file,))).supporting == (file,)
