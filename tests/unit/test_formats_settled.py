"""What the code lists and cardinalities of EN 16931 have no room for: settled, and named."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from gateway import formats
from gateway.en16931 import Address, AllowanceCharge, Identifier, Invoice, Party, PaymentMeans
from gateway.formats.settled import settled
from gateway.formats.ubl_profiles import EN16931, PEPPOL, XRECHNUNG, en16931_ubl, peppol_bis, xrechnung_ubl
from gateway.readers import read
from tests import invoices
from tests.invoices import BUYER, GERMAN, SELLER

OPTIONS = formats.Options(language="en", now=invoices.NOW)


def after(profile: Any = EN16931, **terms: Any) -> tuple[Invoice, list[str]]:
    lost: list[str] = []
    return settled(invoices.invoice(**terms), profile, lost), lost


def test_an_invoice_that_fits_is_left_as_it_is() -> None:
    assert after() == (invoices.invoice(), [])


@pytest.mark.parametrize(("scheme", "code"), [("GLN", "0088"), ("no:orgnr", "0192"), ("0088", "0088"), ("ZZZ", None)])
def test_schemes_are_codes_or_go(scheme: str, code: str | None) -> None:
    number = Identifier(value="1", scheme=scheme)
    party = msgspec.structs.replace(SELLER, identifiers=(number,), legal_id=number)
    place = Party(identifiers=(number,))
    content, lost = after(seller=party, buyer=party, payee=party, deliver_to=place)
    for each in (content.seller, content.buyer, content.payee, content.deliver_to):
        assert each is not None
        assert each.identifiers == (Identifier(value="1", scheme=code),)
    assert content.seller.legal_id == Identifier(value="1", scheme=code)
    assert len(lost) == (0 if scheme == code else 7)
    assert all(sentence.endswith(".") and scheme in sentence for sentence in lost)


def test_an_address_in_a_scheme_known_by_a_word_is_written_to_peppol() -> None:
    endpoint = Identifier(value="7300010000001", scheme="GLN")
    content = invoices.invoice(
        buyer_reference="r",
        seller=msgspec.structs.replace(SELLER, endpoint=endpoint),
        buyer=msgspec.structs.replace(BUYER, endpoint=endpoint),
    )
    made = peppol_bis.write(invoices.read(content), invoices.SOURCE, OPTIONS)
    again = read("", "", (), made.content)[0].invoice
    assert again is not None
    assert again.buyer.endpoint == Identifier(value="7300010000001", scheme="0088")
    assert "The scheme GLN of 7300010000001 is written as its code, 0088." in made.notes


def test_of_the_ways_to_pay_there_is_one() -> None:
    means = (
        PaymentMeans(code="49", mandate="M"),
        PaymentMeans(code="58", account="1", reference="R", text="Transfer"),
        PaymentMeans(code="58", account="2", reference="Q", text="Transfer"),
        PaymentMeans(code="58", account="3", text="Wire"),
        PaymentMeans(account="4"),
    )
    content, lost = after(payment=means)
    assert content.payment == (
        means[1],
        PaymentMeans(code="58", account="2"),
        PaymentMeans(code="58", account="3"),
        means[4],
    )
    assert lost == [
        "Payment means 49 (no account) has no place beside 58 (BT-81).",
        "“Q” (BT-83) has no place beside “R” of the other payment means.",
        "“Wire” (BT-82) has no place beside “Transfer” of the other payment means.",
    ]


@pytest.mark.parametrize(
    ("code", "kept"), [("58", "account"), ("30", "account"), ("54", "card"), ("59", "mandate"), ("10", None)]
)
@pytest.mark.parametrize(("profile", "country"), [(XRECHNUNG, "SE"), (PEPPOL, "DE"), (PEPPOL, "SE"), (EN16931, "DE")])
def test_german_payment_has_the_group_of_its_code(profile: Any, country: str, code: str, kept: str | None) -> None:
    means = PaymentMeans(code=code, account="A", bic="B", card="C", mandate="M", creditor="D", debited_account="E")
    seller = msgspec.structs.replace(SELLER, address=Address(country=country))
    content, lost = after(profile, payment=(means,), seller=seller)
    (said,) = content.payment
    if (profile, country) in ((PEPPOL, "SE"), (EN16931, "DE")) or kept is None:
        assert (said, lost) == (means, [])
        return
    found = {name for name in ("account", "card", "mandate") if getattr(said, name)}
    assert found == {kept}
    assert len(lost) == 2
    assert said.bic == ("B" if kept == "account" else None)


@pytest.mark.parametrize(
    ("is_charge", "code", "kept"),
    [(False, "95", True), (False, "FC", False), (False, "101", False), (True, "FC", True), (True, "95", False)],
)
def test_reasons_are_codes_of_their_list(is_charge: bool, code: str, kept: bool) -> None:
    entry = AllowanceCharge(is_charge=is_charge, amount=D("1.00"), reason_code=code)
    content, lost = after(allowances_charges=(entry,), lines=(invoices.line(1, allowances_charges=(entry,)),))
    for said in (content.allowances_charges[0], content.lines[0].allowances_charges[0]):
        assert (said.reason, said.reason_code) == ((None, code) if kept else (code, None))
    assert len(lost) == (0 if kept else 2)
    worded, _ = after(allowances_charges=(msgspec.structs.replace(entry, reason="Text"),))
    assert worded.allowances_charges[0].reason == "Text"


@pytest.mark.parametrize("profile", [EN16931, PEPPOL, XRECHNUNG])
def test_base_and_percentage_go_together_where_the_profile_says_so(profile: Any) -> None:
    whole = AllowanceCharge(is_charge=False, amount=D("1.00"), base=D("10.00"), percent=D(10))
    alone = (msgspec.structs.replace(whole, percent=None), msgspec.structs.replace(whole, base=None))
    content, lost = after(profile, allowances_charges=(whole, *alone))
    assert content.allowances_charges[0] == whole
    if profile is EN16931:
        assert content.allowances_charges[1:] == alone
        return
    assert all((entry.base, entry.percent) == (None, None) for entry in content.allowances_charges[1:])
    assert (
        lost[0] == "The base amount 10.00 of the allowance of 1.00 was left out: it stands with both or with neither."
    )


@pytest.mark.parametrize(
    ("gross", "discount", "kept"), [("110", "10", True), ("100", None, True), ("110", None, False), ("110", "9", False)]
)
def test_a_gross_price_is_the_price_and_its_discount_where_the_profile_says_so(
    gross: str, discount: str | None, kept: bool
) -> None:
    line = invoices.line(1, gross_price=D(gross), price_discount=D(discount) if discount else None)
    for profile, stays in ((EN16931, True), (PEPPOL, kept), (XRECHNUNG, kept)):
        content, lost = after(profile, lines=(line,))
        assert content.lines[0] == (
            line if stays else msgspec.structs.replace(line, gross_price=None, price_discount=None)
        )
        assert lost == (
            []
            if stays
            else ["The gross price 110 (BT-148) of line 1 was left out: with the discount it is not the price."]
        )


@pytest.mark.parametrize(
    ("terms", "written"),
    [
        ("#SKONTO#TAGE=7#PROZENT=2.00#", "#SKONTO#TAGE=7#PROZENT=2.00#\n"),
        ("30 days\n#SKONTO#TAGE=7#PROZENT=2.00#", "30 days\n#SKONTO#TAGE=7#PROZENT=2.00#\n"),
        ("#SKONTO#TAGE=7#PROZENT=2.00#\n30 days", "#SKONTO#TAGE=7#PROZENT=2.00#\n30 days"),
        ("30 days", "30 days"),
        (None, None),
    ],
)
def test_a_discount_for_early_payment_ends_its_line_in_xrechnung(terms: str | None, written: str | None) -> None:
    assert after(XRECHNUNG, payment_terms=terms)[0].payment_terms == written
    assert after(PEPPOL, payment_terms=terms)[0].payment_terms == terms
    made = xrechnung_ubl.write(invoices.read(invoices.invoice(payment_terms=terms, **GERMAN)), invoices.SOURCE, OPTIONS)
    assert terms is None or f"<cbc:Note>{written}</cbc:Note>".encode() in made.content


def test_a_currency_of_accounting_without_an_amount_goes() -> None:
    content, lost = after(accounting_currency="SEK")
    assert content.accounting_currency is None
    assert lost == ["The VAT accounting currency SEK (BT-6) has no amount (BT-111) and was left out."]


def test_a_credit_note_says_its_due_date_once() -> None:
    """Rule UBL-SR-45: it stands in the payment means, of which there may be several."""
    means = (PaymentMeans(code="58", account="1"), PaymentMeans(code="58", account="2"))
    made = en16931_ubl.write(invoices.read(invoices.invoice(type_code="381", payment=means)), invoices.SOURCE, OPTIONS)
    assert made.content.count(b"<cbc:PaymentDueDate>") == 1
