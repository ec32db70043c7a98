"""Every format that is read whole into every format that is written: what comes out is valid by schema and rules, says
to our reader what the source said but for the named losses, and to readers of others the same invoice.

`outcomes.txt` says which pairs are written and which term holds the others; `GOLDEN=write` writes it anew.
"""

from __future__ import annotations

import functools
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from gateway import formats
from gateway.en16931 import Address, AllowanceCharge, Contact, Identifier, Invoice, Line, Party, PaymentMeans
from gateway.errors import Unconvertible
from gateway.model import ReadDocument
from gateway.readers import read
from gateway.readers.facturx import only_xml
from tests import rules
from tests.interop import national, others, test_ebinterface, test_isdoc, test_national, test_oioubl, test_svefaktura
from tests.property.test_corpus_mutated import attempt

OUTCOMES = Path(__file__).with_name("outcomes.txt")
SOURCES = sorted(  # the goldens that are invoices whole, one or two of each format
    case.name
    for pattern in ("01-*", "14-*", "4[0-2]-*", "5[0-9]-*", "6[0-5]-*")
    for case in national.GOLDEN.glob(f"reader-{pattern}")
)
_AS_IT_CAME = ("pdf", "original", "ubl", "fatturapa", "facturae")
TARGETS: list[Any] = [entry for entry in formats.FORMATS if entry.name not in _AS_IT_CAME]
# What may differ for our reader, and the schema, of the formats that are no syntax of EN 16931.
LACKS = {
    "finvoice": test_national.FINVOICE_LACKS,
    "edifact-d96a": test_national.EDIFACT_LACKS,
    "svefaktura": test_svefaktura.LACKS,
    "ebinterface": test_ebinterface.LACKS,
    "isdoc": test_isdoc.LACKS,
    "oioubl": test_oioubl.LACKS,
}
SCHEMAS = {"finvoice": test_national.FINVOICE, "ebinterface": test_ebinterface.XSD, "isdoc": test_isdoc.XSD}
# What UBL and CII have no place for, and what `gateway/formats/settled.py` leaves out.
EN16931_LACKS = {
    "notes", "buyer.account_id", "buyer.identifiers", "buyer.tax_id", "payment", "payment.code", "payment.text",
    "payment.reference", "payment.mandate", "payment.creditor", "payment.card", "payment.card_holder",
    "payment.debited_account", "seller.identifiers", "seller.identifiers.scheme", "buyer.identifiers.scheme",
    "seller.legal_id.scheme", "buyer.legal_id.scheme", "payee.identifiers.scheme", "deliver_to.identifiers.scheme",
    "accounting_currency", "allowances_charges.reason_code", "lines.allowances_charges.reason_code", "supporting",
    "lines.gross_price", "deliver_to.contact", "deliver_to.endpoint", "seller.account_id", "supporting.id",
    "supporting.content", "supporting.media_type", "supporting.file_name", "supporting.size", "tax_point_date",
    "payment.account", "payment.account_name", "payment.bic",
    "allowances_charges.base", "allowances_charges.percent", "lines.allowances_charges.base",
    "lines.allowances_charges.percent",
}  # fmt: skip
LACKS["peppol"] = EN16931_LACKS | {"seller.legal_id.value", "seller.tax_id"}  # `gateway/formats/peppol_national.py`
_BASIC_HOLDS = ("number", "issue_date", "currency", "totals", "vat", "lines.amount", "lines.quantity", "lines.name")
# Of Factur-X's own code lists: the specification of XRechnung, which Factur-X lets stand in PDFs all the same.
_NOT_OURS = "FX-SCH-A-000556"

_replace = msgspec.structs.replace
_CVR = Identifier(value="DK10000009", scheme="0184")


def filled(invoice: Invoice) -> Invoice:
    """`invoice` with what some format demands and its sender did not say, so that most pairs are written."""
    untaxed = any(vat.category == "O" for vat in invoice.vat)  # BR-O-02: nobody has a VAT number then
    payment = tuple(_replace(means, code=means.code or "58") for means in invoice.payment)
    if not any(means.account for means in payment):
        payment = (*payment, PaymentMeans(code="58", account="DE02500105170137075030"))
    return _replace(
        invoice,
        type_code=invoice.type_code or "380",
        tax_point_code=None if invoice.tax_point_date else invoice.tax_point_code,  # BR-CO-03: one of the two
        due_date=invoice.due_date or invoice.issue_date,
        buyer_reference=invoice.buyer_reference or "ref",
        seller=_party(invoice.seller, untaxed),
        buyer=_party(invoice.buyer, untaxed),
        payment=payment,
        lines=tuple(map(_line, invoice.lines)),
        vat=tuple(
            _replace(vat, category=vat.category or "E", exemption_reason=vat.exemption_reason or _exempt(vat.category))
            for vat in invoice.vat
        ),
        allowances_charges=tuple(
            _replace(_reason(entry), vat_category=entry.vat_category or "E", vat_rate=entry.vat_rate or Decimal(0))
            for entry in invoice.allowances_charges
        ),
    )


def _party(party: Party, untaxed: bool) -> Party:
    address, contact = party.address or Address(), party.contact or Contact()
    return _replace(
        party,
        name=party.name or "Party",
        endpoint=_CVR,
        legal_id=party.legal_id or _CVR,
        vat_id=None if untaxed else party.vat_id or "DK10000009",
        address=_replace(
            address,
            line1=address.line1 or "Street 1",
            city=address.city or "City",
            post_code=address.post_code or "1000",
            country=address.country or "DK",
        ),
        contact=Contact(
            name=contact.name or "Desk", phone=contact.phone or "+45 1", email=contact.email or "desk@party.example"
        ),
    )


def _line(line: Line) -> Line:
    return _replace(
        line,
        unit=line.unit or "C62",
        vat_category=line.vat_category or "E",
        allowances_charges=tuple(map(_reason, line.allowances_charges)),
    )


def _reason(entry: AllowanceCharge) -> AllowanceCharge:
    return _replace(entry, reason=entry.reason or entry.reason_code or "agreed")


def _exempt(category: str | None) -> str | None:
    return "exempt" if category in (None, "E", "AE", "O", "G", "K") else None


@functools.cache
def document(source: str) -> ReadDocument:
    file = next((national.GOLDEN / source).glob("in.*"))
    found = read(file.name, "", (), file.read_bytes())[0]
    assert found.invoice is not None
    return _replace(found, invoice=filled(found.invoice))


def outcome(entry: Any, source: str) -> str:
    """`written`, when all that is said of it holds; the term that holds it; the rules that the source itself breaks."""
    given = document(source)
    assert given.invoice is not None
    made = attempt(national.write, entry, given)
    if isinstance(made, Unconvertible):
        return made.term
    _says_the_same(entry, given.invoice, made.content, made.notes)
    _is_the_same_to_others(entry, given.invoice, made.content)
    return _valid(entry, only_xml(made.content)) or "written"


def _says_the_same(entry: Any, invoice: Invoice, content: bytes, notes: tuple[str, ...]) -> None:
    if entry.name == "csv":
        return
    again = read("", "", (), content)[0].invoice
    found = {
        re.sub(r"\.(line\d|city|post_code|subdivision|phone)$", "", each)
        for each in national.differences(reduced(invoice), reduced(again))
    }
    if entry.name == "facturx-basic":
        assert not found & set(_BASIC_HOLDS), found
    else:
        lacks = LACKS.get(entry.name, EN16931_LACKS) | national.WITHOUT_TERM
        assert found <= lacks, found - lacks
    assert notes or found <= national.WITHOUT_TERM | {"notes"}, found


def reduced(invoice: Invoice | None) -> Invoice:
    """`invoice` but for what two formats only say otherwise: the customer number, which is BT-46 elsewhere, the order
    of identifiers, a gross price that is the price, and the payment reference, which is the document's."""
    assert invoice is not None
    lines = tuple(
        _replace(line, gross_price=None) if line.gross_price == line.price and not line.price_discount else line
        for line in invoice.lines
    )
    known = [Identifier(value=invoice.buyer.account_id)] if invoice.buyer.account_id else []
    numbers = tuple(sorted({*known, *invoice.buyer.identifiers}, key=repr))
    buyer = _replace(invoice.buyer, account_id=None, identifiers=numbers)
    seller = _replace(invoice.seller, identifiers=tuple(sorted(invoice.seller.identifiers, key=repr)))
    said = next((means.reference for means in invoice.payment if means.reference), None)
    payment = tuple(_replace(means, reference=means.reference or said) for means in invoice.payment)
    return _replace(invoice, buyer=buyer, seller=seller, lines=lines, payment=payment)


def _is_the_same_to_others(entry: Any, invoice: Invoice, content: bytes) -> None:
    wanted = others.of_invoice(invoice)
    for seen in others.seen(entry.name, content):
        assert (seen.number, seen.payable) == (wanted.number, wanted.payable)
        assert [each[:30] for each in seen.items[: len(wanted.items)]] == [each[:30] for each in wanted.items]


def _valid(entry: Any, content: bytes) -> str:
    """Asserts the schema; the fatal rules that are broken, for EN 16931 and its profiles."""
    if entry.name in SCHEMAS:
        if SCHEMAS[entry.name].exists():
            national.schema(SCHEMAS[entry.name]).assertValid(etree.fromstring(content))
        return ""
    if entry.name == "svefaktura":
        test_svefaktura.check(etree.fromstring(content))
        return ""
    if entry.name in ("csv", "edifact-d96a"):
        return ""
    schema, compiled = rules.FACTUR_X.get(entry.name, (None, None))
    assert rules.schema_errors(content, schema) == []
    if entry.name == "oioubl":
        return ""
    broken = list(_broken(content, compiled))
    if entry.name in ("peppol", "xrechnung-ubl"):
        broken += rules.broken_of_profile(content)
    if "xrechnung" in entry.name:
        broken += rules.broken_of_xrechnung(content)
    return ", ".join(sorted({each.split()[0] for each in broken} - {_NOT_OURS}))


@functools.cache
def _broken(content: bytes, compiled: Path | None) -> list[str]:
    """The inside of a Factur-X is the same CII, of which the rules need to be asked once."""
    return rules.broken(content, compiled)


def test_every_format_into_every_format() -> None:
    assert {document(source).format for source in SOURCES} >= {
        "ubl", "cii", "facturx", "finvoice", "edifact", "fatturapa", "facturae", "svefaktura", "ebinterface", "isdoc",
    }  # fmt: skip
    lines = []
    for source in SOURCES:
        found = {entry.name: outcome(entry, source) for entry in TARGETS}
        written = [name for name, said in found.items() if said == "written"]
        lines.append(f"{source}: {'all' if len(written) == len(found) else ' '.join(written)}")
        lines += [f"  {name}: {said}" for name, said in found.items() if said != "written"]
    text = "\n".join(lines) + "\n"
    if os.environ.get("GOLDEN") == "write":
        OUTCOMES.write_text(text, "utf-8")
    assert text == OUTCOMES.read_text("utf-8")


@pytest.mark.parametrize("change", ["F-1", "amount", "item"])
def test_what_others_see_otherwise_is_found(change: str) -> None:
    """The comparison itself: another number, amount or name is another invoice."""
    entry = next(entry for entry in TARGETS if entry.name == "en16931-ubl")
    given = document("reader-40-cii-whole").invoice
    assert given is not None
    content = national.write(entry, document("reader-40-cii-whole")).content
    wrong = {
        "F-1": (given.number or "", "F-1"),
        "amount": (">22.00</cbc:PayableAmount>", ">22.01</cbc:PayableAmount>"),
        "item": (f">{given.lines[0].name}<", ">Other<"),
    }[change]
    assert wrong[0].encode() in content
    with pytest.raises(AssertionError):
        _is_the_same_to_others(entry, given, content.replace(wrong[0].encode(), wrong[1].encode()))
