"""ISDOC: what we write is valid by the schema of 6.0.2, and every term comes back but for the named losses."""

from __future__ import annotations

import pytest
from lxml import etree

from gateway.formats.isdoc import isdoc_6
from tests.interop import national
from tests.interop.national import CORPUS, GOLDEN, SHARED, schema

XSD = SHARED / "schemas/isdoc/xsd/isdoc-invoice-6.0.2.xsd"

pytestmark = pytest.mark.skipif(not XSD.exists(), reason=f"the schema of ISDOC 6.0.2 is not at {XSD}")

LACKS = {
    "accounting_currency", "accounting_reference", "allowances_charges", "buyer.account_id", "buyer.address",
    "buyer.endpoint", "buyer.identifiers", "buyer.legal_id.scheme", "buyer.trading_name", "buyer_reference", "contract",
    "deliver_to.account_id", "deliver_to.address", "deliver_to.contact", "deliver_to.endpoint",
    "deliver_to.identifiers", "delivery_date", "due_date", "invoiced_object", "lines", "lines.accounting_reference",
    "lines.allowances_charges", "lines.allowances_charges.base", "lines.allowances_charges.reason", "lines.attributes",
    "lines.description", "lines.gross_price", "lines.note", "lines.object_id", "lines.origin", "lines.period",
    "lines.price", "lines.price_base_quantity", "lines.price_discount", "lines.vat_category", "notes", "notes.subject",
    "notes.text", "payee", "payment", "payment.account_name", "payment.card", "payment.card_holder", "payment.code",
    "payment.creditor", "payment.debited_account", "payment.mandate", "payment.reference", "payment.text",
    "payment_terms", "period", "project", "receiving_advice", "seller.account_id", "seller.address", "seller.endpoint",
    "seller.identifiers", "seller.legal_id.scheme", "seller.trading_name", "supporting", "tax_point_code",
    "tax_representative", "tender", "totals.allowances", "totals.charges", "totals.lines", "totals.paid",
    "totals.vat_accounting_currency", "type_code", "vat.category", "vat.exemption_code", "vat.exemption_reason",
    "vat.rate",
}  # fmt: skip


@pytest.mark.parametrize(
    "case", ["reader-63-isdoc-whole/in.xml", "write-32-isdoc/out.xml", "write-33-isdoc-credit-note/out.xml"]
)
def test_goldens_are_valid(case: str) -> None:
    schema(XSD).assertValid(etree.parse(str(GOLDEN / case)))


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_every_invoice_goes_through_isdoc_with_all_its_terms_or_is_held() -> None:
    seen = national.outcomes(isdoc_6, schema(XSD).assertValid, LACKS)
    assert seen["written"] >= 155


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_files_with_and_without_namespace_are_read() -> None:
    found = [document for _, document in national.corpus() if document.format == "isdoc"]
    assert len(found) == 3
    assert all(each.number and each.issue_date and each.seller and each.currency and each.payable for each in found)
