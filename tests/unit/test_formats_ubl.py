"""Writing UBL: what each profile demands, what is kept as it was written, and what is lost and said."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from lxml import etree

from gateway import formats
from gateway.en16931 import AllowanceCharge, Contact, Identifier, Invoice, Note, Party, PaymentMeans, Reference
from gateway.errors import Unconvertible
from gateway.model import Attachment, ReadDocument
from gateway.readers import read as read_file
from gateway.readers.ubl_paths import UBL
from tests.invoices import BUYER, GERMAN, NOW, SELLER, SOURCE, invoice, line, read

OPTIONS = formats.Options(language="en", now=NOW)


def made(target: str = "en16931-ubl", **terms: Any) -> Attachment:
    return formats.convert(read(invoice(**terms)), SOURCE, target, OPTIONS)


def root(target: str = "en16931-ubl", **terms: Any) -> Any:
    return etree.fromstring(made(target, **terms).content)


def back(attachment: Attachment) -> Invoice:
    content = read_file("", "", (), attachment.content)[0].invoice
    assert content is not None
    return content


def replaced(value: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(value, **changes)


@pytest.mark.parametrize(
    ("term", "terms"),
    [
        ("BT-1", {"number": None}),
        ("BT-2", {"issue_date": None}),
        ("BT-3", {"type_code": None}),
        ("BT-5", {"currency": None}),
        ("BT-9", {"due_date": None}),
        ("BT-27", {"seller": replaced(SELLER, name=None)}),
        ("BT-31", {"seller": replaced(SELLER, vat_id=None, legal_id=None)}),
        ("BT-40", {"seller": replaced(SELLER, address=None)}),
        ("BT-44", {"buyer": replaced(BUYER, name=None)}),
        ("BT-55", {"buyer": replaced(BUYER, address=replaced(BUYER.address, country=None))}),
        ("BT-81", {"payment": (PaymentMeans(account="1"),)}),
        ("BT-95", {"allowances_charges": (AllowanceCharge(is_charge=True, amount=D(1), reason="Freight"),)}),
        ("BT-97", {"allowances_charges": (AllowanceCharge(is_charge=True, amount=D(1), vat_category="S"),)}),
        ("BT-106", {"totals": replaced(invoice().totals, lines=None)}),
        ("BT-109", {"totals": replaced(invoice().totals, without_vat=None)}),
        ("BT-110", {"totals": replaced(invoice().totals, vat=None)}),
        ("BT-112", {"totals": replaced(invoice().totals, with_vat=None)}),
        ("BT-115", {"totals": replaced(invoice().totals, payable=None)}),
        ("BT-116", {"vat": (replaced(invoice().vat[0], taxable=None),)}),
        ("BT-117", {"vat": (replaced(invoice().vat[0], amount=None),)}),
        ("BT-118", {"vat": (replaced(invoice().vat[0], category=None),)}),
        ("BT-119", {"vat": (replaced(invoice().vat[0], rate=None),)}),
        ("BG-23", {"vat": ()}),
        ("BG-25", {"lines": ()}),
        ("BT-126", {"lines": (replaced(line(1), id=""),)}),
        ("BT-129", {"lines": (line(1, quantity=None),)}),
        ("BT-130", {"lines": (line(1, unit=None),)}),
        ("BT-131", {"lines": (line(1, amount=None),)}),
        ("BT-139", {"lines": (line(1, allowances_charges=(AllowanceCharge(is_charge=False, amount=D(1)),)),)}),
        ("BT-146", {"lines": (line(1, price=None),)}),
        ("BT-151", {"lines": (line(1, vat_category=None),)}),
        ("BT-153", {"lines": (line(1, name=None),)}),
    ],
)
@pytest.mark.parametrize("target", ["en16931-ubl", "en16931-cii"])
def test_a_term_that_en_16931_demands_is_not_made_up(target: str, term: str, terms: dict[str, Any]) -> None:
    with pytest.raises(Unconvertible) as refusal:
        made(target, **terms)
    assert refusal.value.term == term
    assert f"({term})" in refusal.value.sentence
    assert "/Invoice/" in refusal.value.sentence


@pytest.mark.parametrize(
    ("target", "term", "terms"),
    [
        ("peppol", "BT-10", {"buyer_reference": None}),
        ("peppol", "BT-34", {"seller": SELLER}),
        ("peppol", "BT-34", {"seller": replaced(SELLER, endpoint=Identifier(value="a@b.example", scheme="EM"))}),
        ("peppol", "BT-49", {"buyer": BUYER}),
        ("peppol", "BT-3", {"type_code": "389"}),
        ("xrechnung-ubl", "BT-10", {"buyer_reference": None, "order": "4711"}),
        ("xrechnung-ubl", "BT-41", {"seller": replaced(GERMAN["seller"], contact=None)}),
        ("xrechnung-ubl", "BT-42", {"seller": replaced(GERMAN["seller"], contact=Contact(name="A"))}),
        ("xrechnung-ubl", "BT-43", {"seller": replaced(GERMAN["seller"], contact=Contact(name="A", phone="1"))}),
        ("xrechnung-ubl", "BT-37", {"seller": replaced(GERMAN["seller"], address=replaced(SELLER.address, city=None))}),
        (
            "xrechnung-cii",
            "BT-38",
            {"seller": replaced(GERMAN["seller"], address=replaced(SELLER.address, post_code=None))},
        ),
        ("xrechnung-cii", "BT-52", {"buyer": replaced(GERMAN["buyer"], address=replaced(BUYER.address, city=None))}),
        (
            "xrechnung-cii",
            "BT-53",
            {"buyer": replaced(GERMAN["buyer"], address=replaced(BUYER.address, post_code=None))},
        ),
        ("xrechnung-cii", "BT-81", {"payment": ()}),
        ("xrechnung-cii", "BT-34", {"seller": SELLER}),
        ("xrechnung-cii", "BT-49", {"buyer": BUYER}),
    ],
)
def test_a_term_that_a_profile_demands(target: str, term: str, terms: dict[str, Any]) -> None:
    assert made(target, **GERMAN).content
    with pytest.raises(Unconvertible) as refusal:
        made(target, **(GERMAN | terms))
    assert refusal.value.term == term


def test_the_sentence_says_what_is_missing_and_where_it_should_stand() -> None:
    with pytest.raises(Unconvertible) as refusal:
        made("xrechnung-ubl", **(GERMAN | {"buyer_reference": None}))
    wanted = "XRechnung 3.0 needs the buyer reference (BT-10); none is at /Invoice/BuyerReference."
    assert refusal.value.sentence == wanted
    document = replaced(read(invoice(**(GERMAN | {"buyer_reference": None}))), format="facturx")
    with pytest.raises(Unconvertible, match=r"/CrossIndustryInvoice/.*ApplicableHeaderTradeAgreement/BuyerReference"):
        formats.convert(document, SOURCE, "xrechnung-ubl", OPTIONS)


@pytest.mark.parametrize("target", ["peppol", "xrechnung-ubl", "en16931-cii"])
def test_what_is_no_invoice_cannot_be_written(target: str) -> None:
    for document in (ReadDocument(format="ubl", type="order"), ReadDocument(format="pdf", type="invoice")):
        with pytest.raises(Unconvertible) as refusal:
            formats.convert(document, SOURCE, target, OPTIONS)
        assert refusal.value.term == "type"


def test_amounts_stay_as_written_but_for_zeros_that_rules_forbid() -> None:
    totals = replaced(invoice().totals, payable=D("125.0000"), with_vat=D("125"), lines=D("100.0"))
    tree = root(totals=totals, lines=(line(1, price=D("33.333333"), quantity=D("3.000"), amount=D("100.00")),))
    seen = [UBL.value(tree, f"cac:LegalMonetaryTotal/cbc:{name}") for name in ("PayableAmount", "TaxInclusiveAmount")]
    assert [*seen, UBL.value(tree, "cac:LegalMonetaryTotal/cbc:LineExtensionAmount")] == ["125.00", "125", "100.0"]
    assert UBL.value(tree, "cac:InvoiceLine/cac:Price/cbc:PriceAmount") == "33.333333"
    assert UBL.value(tree, "cac:InvoiceLine/cbc:InvoicedQuantity") == "3.000"


@pytest.mark.parametrize("target", ["en16931-ubl", "en16931-cii"])
def test_an_amount_that_would_have_to_be_rounded_is_held(target: str) -> None:
    with pytest.raises(Unconvertible, match=r"amount to pay \(BT-115\) is 125\.005") as refusal:
        made(target, totals=replaced(invoice().totals, payable=D("125.005")))
    assert refusal.value.term == "BT-115"
    with pytest.raises(Unconvertible) as refusal:
        made(target, lines=(line(1, amount=D("0.001")),))
    assert refusal.value.term == "BT-131"


@pytest.mark.parametrize(
    ("rule", "totals"),
    [
        ("BR-CO-10", {"lines": D("99.99")}),
        ("BR-CO-11", {"allowances": D(1)}),
        ("BR-CO-12", {"charges": D(1)}),
        ("BR-CO-13", {"without_vat": D("100.01")}),
        ("BR-CO-14", {"vat": D("25.01")}),
        ("BR-CO-15", {"with_vat": D("125.01")}),
        ("BR-CO-16", {"payable": D("124.99")}),
        ("BR-CO-16", {"paid": D("5.00")}),
        ("BR-CO-16", {"rounding": D("0.01")}),
    ],
)
@pytest.mark.parametrize("target", ["en16931-ubl", "en16931-cii"])
def test_sums_that_do_not_add_up_are_held_and_not_mended(target: str, rule: str, totals: dict[str, D]) -> None:
    with pytest.raises(Unconvertible, match=rule) as refusal:
        made(target, totals=replaced(invoice().totals, **totals))
    assert refusal.value.term == rule


def test_an_allowance_that_the_totals_do_not_count_is_held() -> None:
    entry = AllowanceCharge(is_charge=False, amount=D(1), vat_category="S", vat_rate=D(25), reason="Discount")
    with pytest.raises(Unconvertible, match=r"sum of the allowances \(BT-107\) is 0, and what .* gives 1"):
        made(allowances_charges=(entry,))


@pytest.mark.parametrize(
    ("code", "name"), [("380", "Invoice"), ("381", "CreditNote"), ("384", "Invoice"), ("396", "CreditNote")]
)
def test_the_type_decides_the_root(code: str, name: str) -> None:
    tree = root(type_code=code)
    assert etree.QName(tree).localname == name
    assert UBL.value(tree, f"cbc:{name}TypeCode") == code


def test_a_credit_note_keeps_its_due_date_where_it_can() -> None:
    assert back(made(type_code="381")).due_date == dt.date(2026, 12, 20)
    without = made(type_code="381", payment=())
    assert back(without).due_date is None
    assert without.notes == ("The due date (BT-9) has no place in a credit note without payment means.",)


def test_the_customer_number_becomes_the_buyer_identifier() -> None:
    buyer = replaced(BUYER, identifiers=(Identifier(value="0010427"), Identifier(value="77", scheme="0088")))
    attachment = made(buyer=buyer)
    assert back(attachment).buyer.identifiers == (Identifier(value="0010427"),)
    assert attachment.notes == ("The buyer's identifier 77 (BT-46) has no place beside 0010427.",)


def test_attachments_go_along_where_the_rules_allow_their_type() -> None:
    files = (
        Reference(id="1", file_name="a.csv", media_type="text/csv", size=3, content=b"a;b"),
        Reference(id="2", file_name="b.exe", media_type="application/x-exe", size=2, content=b"MZ"),
        Reference(id="3", file_name="c.pdf", media_type="application/pdf", size=9, uri="https://c.example/c.pdf"),
    )
    attachment = made(supporting=files)
    kept = back(attachment).supporting
    assert [(each.id, each.content, each.uri) for each in kept] == [
        ("1", b"a;b", None),
        ("2", None, None),
        ("3", None, "https://c.example/c.pdf"),
    ]
    assert [sentence.split(" (BT-125)")[0] for sentence in attachment.notes] == ["The file b.exe", "The file c.pdf"]


def test_what_ubl_has_no_place_for_is_said() -> None:
    seller = replaced(SELLER, endpoint=Identifier(value="77"))
    payment = (PaymentMeans(reference="R"),)
    attachment = made(seller=seller, payment=payment, lines=(line(1, gross_price=D(120)),))
    assert attachment.notes == (
        "The seller's electronic address 77 (BT-34) has no scheme and was left out.",
        "The payment reference (BT-83) has no place without payment means (BT-81).",
        "The gross price (BT-148) of line 1 has no place without a discount (BT-147).",
    )


def test_what_is_said_of_parties_beyond_en_16931_is_named() -> None:
    twice = (Identifier(value="1"), Identifier(value="2"))
    attachment = made(
        buyer=replaced(BUYER, tax_id="77"),
        payee=replaced(SELLER, identifiers=twice),
        deliver_to=Party(name="Depot", address=BUYER.address, contact=Contact(name="Eva")),
    )
    assert attachment.notes == (
        "EN 16931 has no place for more of the buyer: tax number.",
        "EN 16931 has no place for more of the payee: VAT number, address, contact, further identifiers.",
        "EN 16931 has no place for more of the place of delivery: contact.",
    )


def test_one_mandate_for_all_payment_means() -> None:
    both = tuple(PaymentMeans(code="59", account=str(n), mandate=m) for n, m in ((1, "M-1"), (2, "M-1"), (3, "M-2")))
    attachment = made(payment=both)
    assert [means.mandate for means in back(attachment).payment] == ["M-1", None, None]
    assert attachment.notes == ("The mandate M-2 (BT-89) has no place beside that of the first payment means.",)


def test_several_notes_are_one_for_peppol() -> None:
    notes = (Note(text="First", subject="AAI"), Note(text="Second"))
    assert back(made("peppol", **GERMAN, notes=notes)).notes == (Note(text="First\nSecond", subject="AAI"),)
    assert back(made(notes=notes)).notes == notes


def test_the_sellers_order_alone() -> None:
    tree = root(sales_order="SO-1")
    assert UBL.value(tree, "cac:OrderReference/cbc:ID") == "NA"
    assert (back(made(sales_order="SO-1")).order, back(made(sales_order="SO-1")).sales_order) == (None, "SO-1")


def test_an_address_with_an_at_sign_needs_no_scheme() -> None:
    assert back(made(seller=replaced(SELLER, endpoint=Identifier(value="a@b.example")))).seller.endpoint == Identifier(
        value="a@b.example", scheme="EM"
    )


def test_markup_in_values_stays_text() -> None:
    name = "</cbc:Name><cbc:Name>&amp; ]]> <!--"
    assert back(made(buyer=replaced(BUYER, name=name))).buyer.name == name


@pytest.mark.parametrize(
    ("kind", "profile", "already"),
    [
        ("ubl", "urn:cen.eu:en16931:2017", {"en16931-ubl"}),
        (
            "ubl",
            "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
            {"en16931-ubl", "peppol"},
        ),
        (
            "ubl",
            "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
            {"en16931-ubl", "xrechnung-ubl"},
        ),
        ("ubl", "urn:cen.eu:en16931:2017#compliant#urn:xoev-de:kosit:standard:xrechnung_2.3", {"en16931-ubl"}),
        ("ubl", "urn:cen.eu:en16931:2017#conformant#urn:example:more", set()),
        ("ubl", "OIOUBL-2.02", {"oioubl"}),
        ("ubl", None, set()),
        ("cii", "urn:cen.eu:en16931:2017", {"en16931-cii"}),
        (
            "cii",
            "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
            {"en16931-cii", "xrechnung-cii"},
        ),
        ("cii", "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", {"en16931-cii"}),
        ("cii", "urn:factur-x.eu:1p0:minimum", set()),
        ("cii", "urn:ferd:CrossIndustryDocument:invoice:1p0:comfort", set()),
    ],
)
def test_what_is_in_the_targets_profile_goes_as_it_came(kind: str, profile: str | None, already: set[str]) -> None:
    document = ReadDocument(format=kind, profile=profile)
    names = {entry.name for entry in formats.FORMATS if formats.is_already(document, b"<x/>", entry.name)}
    assert names - {"ubl", "original"} == already
    assert ("ubl" in names) is (kind == "ubl")
    for name in names:
        assert formats.convert(document, SOURCE, name, OPTIONS) is SOURCE
    wrapped = replaced(document, wrapped=("sbdh",))
    assert {entry.name for entry in formats.FORMATS if formats.is_already(wrapped, b"", entry.name)} <= {
        "ubl",
        "original",
    }


def test_parties_that_are_not_there_leave_no_trace() -> None:
    content = made(payee=Party(), deliver_to=Party(), tax_representative=Party()).content
    assert b"Payee" not in content.replace(b"PayeeFinancialAccount", b"")
    assert b"Delivery" not in content
    assert b"TaxRepresentative" not in content


@pytest.mark.parametrize(
    ("target", "terms", "sentence"),
    [
        ("en16931-ubl", None, "needs the payment terms (BT-20) or the due date (BT-9); none is at /"),
        ("isdoc", "30 days", "needs the due date (BT-9); none is at /"),
        ("finvoice", "30 days", "needs the due date (BT-9); none is at /"),
    ],
)
def test_terms_of_payment_are_asked_for_only_where_they_help(target: str, terms: str | None, sentence: str) -> None:
    with pytest.raises(Unconvertible) as refused:
        made(target, due_date=None, payment_terms=terms)
    assert refused.value.term == "BT-9"
    assert sentence in refused.value.sentence
