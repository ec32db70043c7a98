"""`gateway.formats.page`: which term of an invoice is shown where, in which words."""

import datetime as dt
from decimal import Decimal as D

import msgspec
import pytest

from gateway import formats
from gateway.en16931 import (
    Address,
    AllowanceCharge,
    Contact,
    Identifier,
    Invoice,
    Note,
    Party,
    PaymentMeans,
    Period,
    Reference,
    Totals,
    VatBreakdown,
)
from gateway.formats import page
from tests.invoices import BUYER, MEANS, NOW, SELLER, invoice, line, read


def composed(content, language="en", accent="#1f4e79", **fields):
    options = formats.Options(language=language, now=NOW, accent=accent)
    return page.compose(read(content, **fields), content, options)


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("380", "Invoice"),
        ("381", "Credit note"),
        ("383", "Debit note"),
        ("384", "Corrected invoice"),
        ("386", "Prepayment invoice"),
        ("389", "Self-billed invoice"),
        ("261", "Self-billed credit note"),
        ("875", "Invoice"),
        (None, "Invoice"),
    ],
)
def test_the_title_tells_the_type(code, title):
    assert composed(invoice(type_code=code))["title"] == title


def test_a_credit_note_without_a_code_is_titled_by_its_subtype():
    assert composed(invoice(type_code=None), "de", subtype="credit_note")["title"] == "Gutschrift"


def test_a_credit_note_names_the_invoice_it_refers_to():
    preceding = (Reference(id="F-1", date=dt.date(2026, 10, 30)), Reference(id="F-2"))
    data = composed(invoice(type_code="381", preceding=preceding), "sv")
    assert data["lead"] == "Denna kreditfaktura avser F-1 av den 2026-10-30, F-2."
    assert data["totals"]["payable"] == ["Att kreditera", "125,00 EUR"]
    assert data["payment"]["code"] == ""


def test_dates_and_references_stand_in_a_fixed_order():
    content = invoice(
        period=Period(start=dt.date(2026, 11, 1), end=dt.date(2026, 11, 30)),
        delivery_date=dt.date(2026, 11, 18),
        tax_point_date=dt.date(2026, 11, 19),
        buyer_reference="A. Lund",
        order="4500",
        sales_order="S-7",
        contract="V-1",
        project="P-2",
        tender="T-3",
        despatch_advice="D-4",
        receiving_advice="R-5",
        invoiced_object=Identifier(value="OBJ"),
        accounting_reference="KST",
        buyer=msgspec.structs.replace(
            BUYER, vat_id="FR0", legal_id=Identifier(value="303"), contact=Contact(name="Claire Morel")
        ),
    )
    assert composed(content)["meta"] == [
        ["Date", "20 Nov 2026"],
        ["Due date", "20 Dec 2026"],
        ["Delivery date", "18 Nov 2026"],
        ["Tax point", "19 Nov 2026"],
        ["Period", "1 Nov 2026 – 30 Nov 2026"],
        ["Customer no.", "0010427"],
        ["Your reference", "A. Lund"],
        ["Order", "4500"],
        ["Our order", "S-7"],
        ["Contract", "V-1"],
        ["Project", "P-2"],
        ["Tender", "T-3"],
        ["Delivery note", "D-4"],
        ["Goods receipt", "R-5"],
        ["Object", "OBJ"],
        ["Cost centre", "KST"],
        ["Your VAT no.", "FR0"],
        ["Your company no.", "303"],
        ["Attention", "Claire Morel"],
        ["Our contact", "Elin Sjöberg"],
    ]


def test_the_customer_number_is_the_account_or_the_identifier_without_a_scheme():
    numbered = Party(identifiers=(Identifier(value="73", scheme="0088"), Identifier(value="C-9")))
    assert ["Customer no.", "C-9"] in composed(invoice(buyer=numbered))["meta"]


@pytest.mark.parametrize(("country", "window"), [("FR", "right"), ("MC", "right"), ("DE", "left"), (None, "left")])
def test_the_window_is_where_the_sellers_post_reads_it(country, window):
    seller = msgspec.structs.replace(SELLER, address=Address(city="X", country=country))
    assert composed(invoice(seller=seller))["window"] == window


def test_the_return_address_is_whole_on_two_lines():
    home = Address(line1="Leoforos Athinon 12, 3rd floor", post_code="241 00", city="Kalamata", country="GR")
    seller = msgspec.structs.replace(SELLER, name="Eleolado Peloponnisou Anonymi Eteria", address=home)
    assert composed(invoice(seller=seller))["seller"]["return"] == (
        "Eleolado Peloponnisou Anonymi Eteria · Leoforos Athinon 12, 3rd floor · 241 00 Kalamata · Greece"
    )


def test_the_country_is_written_only_abroad():
    assert composed(invoice(), "de")["buyer"][-1] == "FRANKREICH"
    assert composed(invoice(buyer=SELLER))["buyer"] == ["Nordvik Skog AB", "Storgatan 14", "903 26 Umeå"]


def test_a_british_address_has_its_post_code_last():
    address = Address(line1="1 Quay St", city="Leeds", subdivision="Yorks", post_code="LS1 4AB", country="GB")
    assert composed(invoice(buyer=Party(name="B Ltd", address=address)))["buyer"] == [
        "B Ltd",
        "1 Quay St",
        "Leeds Yorks LS1 4AB",
        "UNITED KINGDOM",
    ]


def test_other_parties_have_their_blocks():
    content = invoice(
        deliver_to=Party(name="Dépôt", address=Address(city="Lyon", country="FR")),
        payee=Party(name="Factor AB", legal_id=Identifier(value="55")),
        tax_representative=Party(name="Rep", vat_id="SE9"),
    )
    assert composed(content)["parties"] == [
        {"label": "Delivered to", "lines": ["Dépôt", "Lyon", "FRANCE"]},
        {"label": "Payee", "lines": ["Factor AB", "Company no.\u00a055"]},
        {"label": "Tax representative", "lines": ["Rep", "VAT\u00a0SE9"]},
    ]


def test_the_foot_has_the_legal_identifiers():
    seller = msgspec.structs.replace(SELLER, tax_id="Godkänd för F-skatt", legal_form="AB, Umeå")
    assert composed(invoice(seller=seller))["footer"] == [
        "Nordvik Skog AB",
        "AB, Umeå",
        "Company no.\u00a05560000001",
        "VAT\u00a0SE556000000101",
        "Godkänd för F-skatt",
    ]


def test_a_legal_form_too_long_for_the_foot_stands_in_the_notes():
    form = "Sitz der Gesellschaft " * 20
    data = composed(invoice(seller=msgspec.structs.replace(SELLER, legal_form=form)))
    assert not any("Sitz" in text for text in data["footer"])
    assert data["notes"][0]["texts"] == [[form.strip()]]


def test_a_line_shows_all_its_terms():
    full = line(
        1,
        name="Nails",
        description="Steel\ngalvanised",
        note="Back order",
        seller_item_id="N-1000-EXTRA-LONG-NUMBER",
        buyer_item_id="B7",
        standard_item_id=Identifier(value="7300000000017", scheme="0160"),
        quantity=D("30000.000"),
        price=D("12.5"),
        gross_price=D("13"),
        price_discount=D("0.50"),
        price_base_quantity=D(1000),
        period=Period(start=dt.date(2026, 11, 1)),
        order_line="3",
        accounting_reference="KST",
        attributes=(("Colour", "grey"),),
        allowances_charges=(
            AllowanceCharge(
                is_charge=False, amount=D("37.5"), percent=D("10.0"), base=D(375), reason="Regular customer"
            ),
            AllowanceCharge(is_charge=True, amount=D(5)),
        ),
        vat_category="AE",
        vat_rate=D("0.00"),
    )
    table = composed(invoice(lines=(full,)))["lines"]
    row = table["rows"][0]
    assert table["item_column"] is False
    assert row["name"] == ["Nails"]
    assert [text.replace("\u200b", "") for text in row["below"]] == [
        "Steel",
        "galvanised",
        "Back order",
        "Colour: grey",
        "Item no. N-1000-EXTRA-LONG-NUMBER · Your item no. B7 · GTIN 7300000000017 · Order line 3 · Cost centre KST"
        " · Period 1 Nov 2026",
        "List price 13.00, discount 0.50",
        "Regular customer (10 % of 375.00): −37.50",
        "Charge: 5.00",
    ]
    assert (row["quantity"], row["unit"], row["base"]) == (["30,000", ""], "pcs", "per 1,000 pcs")
    assert (row["price"], row["vat"], row["category"]) == (["12.50", ""], ["0", ""], "AE")


def test_document_allowances_and_charges_are_rows():
    content = invoice(
        allowances_charges=(
            AllowanceCharge(is_charge=False, amount=D("69.5"), percent=D(1), base=D(6950), vat_rate=D(25), reason="X"),
            AllowanceCharge(is_charge=True, amount=D("45"), vat_category="Z", vat_rate=D(0), reason="Freight"),
        )
    )
    assert composed(content)["adjustments"] == [
        {"text": "X (1 % of 6,950.00)", "vat": ["25", ""], "category": "", "amount": ["−69.50", ""]},
        {"text": "Freight", "vat": ["0", ""], "category": "Z", "amount": ["45.00", ""]},
    ]


def test_the_vat_breakdown_names_categories_and_reasons():
    vat = (
        VatBreakdown(category="S", rate=D("12.5"), taxable=D(8), amount=D(1)),
        VatBreakdown(category="AE", rate=D(0), taxable=D(5), amount=D(0), exemption_reason="Article 196"),
    )
    shown = composed(invoice(vat=vat), "fr")["vat"]
    assert [(row["rate"], row["text"], row["taxable"], row["amount"]) for row in shown["rows"]] == [
        (["12,5", ""], "Taux normal", ["8,00", ""], ["1,00", ""]),
        (["0", ",0"], "Autoliquidation", ["5,00", ""], ["0,00", ""]),
    ]
    assert shown["reasons"] == ["Autoliquidation: Article 196"]


def test_totals_stand_in_the_order_of_the_calculation():
    totals = Totals(
        lines=D(110), allowances=D(20), charges=D(10), without_vat=D(100), vat=D(25), with_vat=D(125),
        paid=D("24.9"), rounding=D("-0.1"), payable=D(100), vat_accounting_currency=D("287.125"),
    )  # fmt: skip
    shown = composed(invoice(totals=totals, accounting_currency="SEK"))["totals"]
    assert [(label, figure[0]) for label, figure in shown["rows"]] == [
        ("Sum of lines", "110.00"),
        ("Discounts", "−20.00"),
        ("Charges", "10.00"),
        ("Total excl. VAT", "100.00"),
        ("VAT", "25.00"),
        ("Total incl. VAT", "125.00"),
        ("Already paid", "−24.90"),
        ("Rounding", "−0.10"),
        ("VAT in SEK", "287.125"),
    ]
    assert shown["payable"] == ["Amount due", "100.00 EUR"]


@pytest.mark.parametrize(("allowances", "charges", "first"), [(0, 0, "Total excl. VAT"), (10, 10, "Sum of lines")])
def test_the_sum_of_the_lines_stands_where_something_changes_it(allowances, charges, first):
    totals = Totals(lines=D(100), allowances=D(allowances), charges=D(charges), without_vat=D(100), payable=D(100))
    assert composed(invoice(totals=totals))["totals"]["rows"][0][0] == first


def test_nothing_is_computed_that_the_invoice_does_not_say():
    shown = composed(invoice(totals=Totals(payable=D("125.00"))))["totals"]
    assert shown == {"rows": [], "payable": ["Amount due", "125.00 EUR"]}


def test_payment_says_where_to_with_which_reference_until_when():
    shown = composed(invoice(payment_terms="30 days net\n2 % within 10 days"), "de")["payment"]
    assert shown["blocks"] == [
        [
            ["Zahlungsart", "SEPA-Überweisung"],
            ["IBAN", "SE49 5000 0000 0123 4000 9876"],
            ["BIC", "XXXXSESS"],
            ["Kontoinhaber", "Nordvik Skog AB"],
        ]
    ]
    assert shown["common"] == [["Verwendungszweck", "2026-1042"], ["Zahlbar bis", "20.12.2026"]]
    assert shown["terms"] == ["30 days net", "2 % within 10 days"]


def test_a_direct_debit_shows_mandate_and_account():
    debit = PaymentMeans(code="59", mandate="M-1", debited_account="FR1420041010050500013M02606")
    assert composed(invoice(payment=(debit,)))["payment"]["blocks"] == [
        [
            ["Means", "SEPA direct debit"],
            ["Debited account", "FR14 2004 1010 0505 0001 3M02 606"],
            ["Mandate", "M-1"],
        ]
    ]


def test_notes_keep_their_lines_and_documents_are_listed():
    content = invoice(
        notes=(Note(text="One\r\nTwo"), Note(text="Three")),
        supporting=(Reference(id="T-1", description="Timesheet", file_name="t.pdf"),),
    )
    assert composed(content)["notes"] == [
        {"title": "Notes", "texts": [["One", "Two"], ["Three"]]},
        {"title": "Supporting documents", "texts": [["T-1 · Timesheet · t.pdf"]]},
    ]


def test_characters_without_a_glyph_are_counted_and_listed():
    data = composed(invoice(number="株-1", lines=(line(1, name="会社 株"),)))
    assert data["number"] == "□-1"
    assert data["missing"] == (
        "3 characters that this page cannot show are marked □: U+682A, U+4F1A, U+793E. The attached original has them."
    )


def test_many_of_them_are_listed_in_part():
    data = composed(invoice(lines=(line(1, name="".join(map(chr, range(0x4E00, 0x4E20)))),)))
    assert "U+4E17 and 8 more" in data["missing"]


@pytest.mark.parametrize(("accent", "dark", "used"), [("#ffcc00", False, "#ffcc00"), ("#7a1020", True, "#7a1020")])
def test_the_accent_colour_stays_readable(accent, dark, used):
    data = composed(invoice(), accent=accent)
    assert (data["accent"], data["dark"]) == (used, dark)


def test_an_accent_that_is_no_colour_is_not_used():
    assert composed(invoice(), accent="red); #panic()")["accent"] == "#1f4e79"


def test_an_empty_invoice_is_an_empty_page():
    data = composed(Invoice(), "fr")
    assert (data["number"], data["buyer"], data["meta"], data["lines"]["rows"]) == ("", [], [], [])


def test_the_transfer_is_one_only_for_a_real_iban():
    assert composed(invoice())["payment"]["code"].startswith("<svg")
    wrong = msgspec.structs.replace(MEANS, account="SE4950000000012340009877")
    assert composed(invoice(payment=(wrong,)))["payment"]["code"] == ""
