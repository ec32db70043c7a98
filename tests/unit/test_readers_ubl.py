"""UBL: types, dates and numbers as written, and the terms of EN 16931 that need more than one look."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.en16931 import Identifier, Invoice
from gateway.errors import Unreadable
from gateway.model import ReadDocument
from gateway.readers import read
from gateway.readers.xpath import date_of, decimal_of

GOLDEN = Path(__file__).parent.parent / "golden"
NS = "urn:oasis:names:specification:ubl:schema:xsd:"
SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"


def ubl(content: str, root: str = "Invoice") -> bytes:
    spaces = f'xmlns:cac="{NS}CommonAggregateComponents-2" xmlns:cbc="{NS}CommonBasicComponents-2"'
    return f'<{root} xmlns="{NS}{root}-2" {spaces}>{content}</{root}>'.encode()


def one(content: str, root: str = "Invoice") -> ReadDocument:
    (document,) = read("", "", (), ubl(content, root))
    return document


def customer(content: str) -> str:
    return f"<cac:AccountingCustomerParty><cac:Party>{content}</cac:Party></cac:AccountingCustomerParty>"


@pytest.mark.parametrize(
    ("code", "subtype"),
    [
        ("380", "invoice"),
        ("381", "credit_note"),
        ("383", "debit_note"),
        ("384", "corrective"),
        ("386", "prepayment"),
        ("389", "self_billed"),
        ("875", "invoice"),
    ],
)
def test_every_invoice_code_routes_as_invoice(code: str, subtype: str) -> None:
    document = one(f"<cbc:InvoiceTypeCode>{code}</cbc:InvoiceTypeCode>")
    assert (document.type, document.subtype, document.notes) == ("invoice", subtype, ())


def test_a_credit_note_stays_one_whatever_its_code_says() -> None:
    document = one("<cbc:CreditNoteTypeCode>380</cbc:CreditNoteTypeCode>", "CreditNote")
    assert (document.type, document.subtype) == ("invoice", "credit_note")
    assert one("", "CreditNote").subtype == "credit_note"


def test_an_unknown_code_is_an_invoice_with_a_note() -> None:
    document = one("<cbc:InvoiceTypeCode>999</cbc:InvoiceTypeCode>")
    assert (document.type, document.subtype) == ("invoice", "invoice")
    assert "999" in document.notes[0]


def test_nothing_is_invented() -> None:
    (document,) = read("", "", (), ubl(""))
    assert document == ReadDocument(format="ubl", type="invoice", subtype="invoice", invoice=Invoice())


def test_values_that_cannot_be_values_are_left_out() -> None:
    assert one(f"<cbc:ID>{'9' * 301}</cbc:ID>").number is None
    assert one("<cbc:ID> \n </cbc:ID>").number is None
    assert one("<cbc:ID>\n F \t 1\u00a0</cbc:ID>").number == "F 1"


def test_candidates_are_bounded() -> None:
    ids = "".join(f"<cac:PartyIdentification><cbc:ID>{n}</cbc:ID></cac:PartyIdentification>" for n in range(1000))
    mails = ";".join(f"a{n}@b.example" for n in range(10))
    contacts = f"<cac:Contact><cbc:ElectronicMail>{mails}</cbc:ElectronicMail></cac:Contact>" * 30
    document = one(customer(ids + contacts))
    assert document.customer_numbers == tuple(map(str, range(50)))
    assert document.emails == tuple(f"a{n}@b.example" for n in range(10))


def test_a_contact_without_at_sign_is_noted_and_not_an_address() -> None:
    document = one(customer("<cac:Contact><cbc:ElectronicMail>n/a</cbc:ElectronicMail></cac:Contact>"))
    assert document.emails == ()
    assert "'n/a'" in document.notes[0]


@pytest.mark.parametrize(
    ("marked", "language"),
    [("fr-CH", "fr"), ("DEU", "de"), ("sv_SE", "sv"), ("xx-1", "xx"), ("klingon", None), ("1", None)],
)
def test_language(marked: str, language: str | None) -> None:
    assert one(f'<cbc:Note languageID="{marked}">x</cbc:Note>').language == language


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-02-28", dt.date(2026, 2, 28)),
        ("2026-02-28Z", dt.date(2026, 2, 28)),
        ("2026-02-28+13:00", dt.date(2026, 2, 28)),
        ("2026-02-30", None),
        ("2026-2-3", None),
        ("20260228", None),
        ("0000-01-01", None),
        (None, None),
    ],
)
def test_dates(text: str | None, date: dt.date | None) -> None:
    assert date_of(text) == date


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("10.00", "10.00"),
        ("-0.5", "-0.5"),
        ("+7", "7"),
        (".5", "0.5"),
        ("0.1234567890123456", "0.1234567890123456"),
        ("1,5", None),
        ("1e3", None),
        ("NaN", None),
        ("Infinity", None),
        ("９", None),
        ("9" * 40, None),
        ("", None),
    ],
)
def test_numbers(text: str, exact: str | None) -> None:
    number = decimal_of(text)
    assert (None if number is None else str(number)) == exact


def test_an_allowance_without_amount_says_nothing() -> None:
    document = one("<cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator></cac:AllowanceCharge>")
    assert document.invoice is not None
    assert document.invoice.allowances_charges == ()


def test_danish_tax_schemes_and_house_numbers() -> None:
    tax = "<cac:PartyTaxScheme><cbc:CompanyID>DK1</cbc:CompanyID><cac:TaxScheme><cbc:ID>63</cbc:ID></cac:TaxScheme>"
    street = "<cbc:StreetName>Havnegade</cbc:StreetName><cbc:BuildingNumber>7</cbc:BuildingNumber>"
    document = one(customer(f"{tax}</cac:PartyTaxScheme><cac:PostalAddress>{street}</cac:PostalAddress>"))
    assert document.invoice is not None
    buyer = document.invoice.buyer
    assert (buyer.vat_id, buyer.tax_id) == ("DK1", None)
    assert buyer.address is not None
    assert buyer.address.line1 == "Havnegade 7"


def test_the_whole_invoice_has_every_term() -> None:
    (document,) = read("", "", (), (GOLDEN / "reader-01-whole-invoice/in.xml").read_bytes())
    invoice = document.invoice
    assert invoice is not None
    unused = {"invoiced_object": None} | {name: getattr(invoice, name) for name in invoice.__struct_fields__}
    assert [name for name, value in unused.items() if value in (None, (), "")] == []
    assert (invoice.totals.vat, invoice.totals.vat_accounting_currency) == (Decimal("23.75"), Decimal("267.19"))
    assert [means.creditor for means in invoice.payment] == [None, "SE00ZZZ5560000001"]
    assert invoice.seller.identifiers == (Identifier(value="7300000000001", scheme="0088"),)
    assert [note.subject for note in invoice.notes] == ["AAI", None]
    assert invoice.notes[0].text == "Merci de votre commande.\nDeuxième ligne."
    assert [(each.size, each.media_type) for each in invoice.supporting] == [(8, "text/csv")]
    line = invoice.lines[0]
    assert [name for name in line.__struct_fields__ if getattr(line, name) in (None, ())] == []


# --- envelopes ---


def enveloped(*payloads: str, space: str = SBDH) -> bytes:
    return f'<StandardBusinessDocument xmlns="{space}">{"".join(payloads)}</StandardBusinessDocument>'.encode()


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (enveloped(), "not-a-document"),
        (enveloped("<a xmlns=''/>"), "unknown-type"),
        (enveloped(ubl("").decode(), space="urn:example:other"), "unknown-type"),
    ],
)
def test_envelopes_that_hold_no_one_document(data: bytes, cause: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read("", "", (), data)
    assert caught.value.cause == cause


def test_ten_envelopes_are_opened() -> None:
    data = ubl("<cbc:ID>1</cbc:ID>").decode()
    for _ in range(9):
        data = enveloped(data).decode()
    (document,) = read("", "", (), data.encode())
    assert document.number == "1"
    assert document.evidence[-1].where.count("/StandardBusinessDocument") == 9
