"""ebInterface: what we write is valid by the schema of 6.1, and every term comes back but for the named losses."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from gateway.formats.ebinterface import ebinterface_6
from tests.interop import national
from tests.interop.national import CORPUS, GOLDEN, SHARED, schema

FOLDER = SHARED / "schemas/ebinterface/src/main/resources/external/schemas/ebinterface"
XSD = FOLDER / "ebinterface-6.1.xsd"

pytestmark = pytest.mark.skipif(not XSD.exists(), reason=f"the schema of ebInterface 6.1 is not at {XSD}")

LACKS = {
    "accounting_currency", "accounting_reference", "allowances_charges.base", "buyer.account_id", "buyer.address",
    "buyer.endpoint", "buyer.identifiers", "buyer.tax_id", "deliver_to", "deliver_to.address", "deliver_to.contact",
    "deliver_to.endpoint", "deliver_to.identifiers", "despatch_advice", "invoiced_object.scheme",
    "lines.allowances_charges.base", "lines.classifications.version", "lines.gross_price", "lines.object_id.scheme",
    "lines.period", "lines.price_discount", "lines.standard_item_id", "lines.standard_item_id.scheme", "notes",
    "notes.subject", "payee", "payment", "payment.account", "payment.account_name", "payment.bic", "payment.code",
    "payment.creditor", "payment.debited_account", "payment.mandate", "payment.reference", "payment.text", "period",
    "seller.address", "seller.endpoint", "seller.identifiers", "seller.legal_form", "supporting", "tax_point_code",
    "tax_point_date", "tax_representative", "totals.vat_accounting_currency", "type_code", "vat.exemption_code",
    "vat.exemption_reason", "vat.rate",
}  # fmt: skip


@pytest.mark.parametrize("case", ["reader-61-ebinterface-whole/in.xml", "write-31-ebinterface/out.xml"])
def test_goldens_are_valid(case: str) -> None:
    schema(XSD).assertValid(etree.parse(str(GOLDEN / case)))


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_every_invoice_goes_through_ebinterface_with_all_its_terms_or_is_held() -> None:
    seen = national.outcomes(ebinterface_6, schema(XSD).assertValid, LACKS)
    assert seen["written"] >= 175


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_every_version_is_read() -> None:
    documents = [(path, document) for path, document in national.corpus() if document.format == "ebinterface"]
    assert {document.profile for _, document in documents} == {
        "3.0", "3.02", "4.0", "4.1", "4.2", "4.3", "5.0", "6.0", "6.1",
    }  # fmt: skip
    assert len(documents) == 45
    for path, document in documents:
        assert document.issue_date, path
        assert document.seller, path
        assert document.currency, path
        assert document.payable, path
        assert document.number or _says_nothing(path, "InvoiceNumber"), path
        assert document.customer_numbers or _says_nothing(path, "BillersInvoiceRecipientID"), path


def _says_nothing(path: Path, name: str) -> bool:
    """Whether the file itself has no such element, or an empty one."""
    root = etree.fromstring(path.read_bytes())
    near = [
        node for node in root.iter(f"{{*}}{name}") if node.getparent() is root or node.getparent().getparent() is root
    ]
    return not any((node.text or "").strip() for node in near)
