"""What we write in national formats is valid by their schemas, and our readers find every term again but for the losses
that are named."""

from __future__ import annotations

import collections
import re
from pathlib import Path

import pytest
from lxml import etree

from gateway.errors import Unconvertible
from gateway.formats.edifact import edifact_d96a
from gateway.formats.finvoice import finvoice_3
from gateway.readers import read
from tests.interop.national import (
    CORPUS,
    GOLDEN,
    HELD,
    SHARED,
    WITHOUT_TERM,
    corpus,
    differences,
    outcomes,
    schema,
    write,
)

FINVOICE = SHARED / "schemas/finvoice/lib/finvoice3/Finvoice3.0.xsd"
FATTURAPA = SHARED / "schemas/fatturapa/core/schemas/Schema_del_file_xml_FatturaPA_versione_1.2_cleanup.xsd"
FACTURAE = SHARED / "schemas/facturae/test/schema/facturaev3_2_2.xsd"

with_corpus = pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
with_finvoice = pytest.mark.skipif(not FINVOICE.exists(), reason=f"the schema of Finvoice 3.0 is not at {FINVOICE}")

# What may differ after the way through a format: what it has no place for, which the notes name.
FINVOICE_LACKS = {
    "notes", "notes.subject", "notes.text", "seller.endpoint", "buyer.endpoint", "seller.address", "buyer.address",
    "receiving_advice", "deliver_to", "deliver_to.endpoint", "tax_representative.address", "payment",
    "payment.account_name", "payment.bic", "payment_terms", "buyer.identifiers", "buyer.tax_id", "supporting",
    "payment.text", "deliver_to.contact", "deliver_to.account_id",
    "supporting.id", "supporting.content", "supporting.file_name", "supporting.media_type", "supporting.size",
    "invoiced_object.scheme", "vat.exemption_code", "lines.object_id.scheme", "lines.note", "lines.name",
    "lines.description", "lines.price_discount", "lines.allowances_charges.reason", "accounting_currency",
}  # fmt: skip

EDIFACT_LACKS = FINVOICE_LACKS - {"receiving_advice", "payment.bic", "accounting_currency"} | {
    "seller.legal_form", "seller.trading_name", "buyer.trading_name", "payment.code", "payment.text", "payment.mandate",
    "payment.creditor", "payment.debited_account", "payment.card", "payment.card_holder", "payment.reference",
    "payment.account_name", "payment.bic", "seller.account_id", "accounting_reference", "invoiced_object",
    "tax_point_code",
    "tax_representative", "allowances_charges.reason_code", "vat.exemption_reason", "seller.identifiers",
    "seller.identifiers.scheme", "seller.legal_id.scheme", "buyer.legal_id.scheme", "buyer.identifiers.scheme",
    "buyer.account_id", "payee.identifiers.scheme", "payee.legal_id.scheme", "deliver_to.identifiers.scheme",
    "deliver_to.contact", "deliver_to.address", "seller.contact", "totals.rounding", "lines.accounting_reference",
    "lines.object_id", "lines.standard_item_id", "lines.standard_item_id.scheme", "lines.classifications.scheme",
    "lines.classifications.version", "lines.attributes", "lines.order_line", "lines.id",
    "lines.allowances_charges.reason_code",
}  # fmt: skip


@with_finvoice
@pytest.mark.parametrize(
    "file", [*GOLDEN.glob("reader-5?-finvoice-*/in.xml"), *GOLDEN.glob("write-2?-finvoice*/out.xml")], ids=str
)
def test_finvoice_goldens_are_valid(file: Path) -> None:
    schema(FINVOICE).assertValid(etree.parse(str(file)))


@pytest.mark.parametrize(
    ("file", "path"),
    [
        (GOLDEN / "reader-55-fatturapa-whole/in.xml", FATTURAPA),
        (GOLDEN / "reader-56-fatturapa-several-bodies/in.xml", FATTURAPA),
        (GOLDEN / "reader-58-facturae-whole/in.xml", FACTURAE),
    ],
    ids=str,
)
def test_italian_and_spanish_goldens_are_valid(file: Path, path: Path) -> None:
    if not path.exists():
        pytest.skip(f"the schema is not at {path}")
    schema(path).assertValid(etree.parse(str(file)))


@with_corpus
@with_finvoice
def test_every_invoice_goes_through_finvoice_with_all_its_terms_or_is_held() -> None:
    assert outcomes(finvoice_3, schema(FINVOICE).assertValid, FINVOICE_LACKS)["written"] >= 95


@with_corpus
def test_every_invoice_goes_through_edifact_with_all_its_terms_or_is_held() -> None:
    seen: collections.Counter[str] = collections.Counter()
    for path, document in corpus():
        try:
            made = write(edifact_d96a, document)
        except Unconvertible as refusal:
            seen[refusal.term] += 1
            continue
        again = read("", "", (), made.content)[0].invoice
        found = {
            re.sub(r"\.(line\d|city|post_code|subdivision|phone)$", "", each)
            for each in differences(document.invoice, again)
        }
        assert found <= EDIFACT_LACKS | WITHOUT_TERM, (path, found - EDIFACT_LACKS)
        # The payment reference is the document's; another payment means that has none reads it too.
        assert made.notes or found <= WITHOUT_TERM | {"payment.reference"}, (path, found)
        seen["written"] += 1
    assert seen["written"] >= 140
    assert all(HELD.fullmatch(term) for term in seen), seen


# The same invoices in UBL and in EDIFACT, both by CEN; what differs is what these files say otherwise themselves, and
# an object (BT-18) that the UBL calls a document.
TWINS = {
    "5": {
        "allowances_charges.reason_code", "deliver_to.identifiers.scheme", "invoiced_object", "notes.subject",
        "notes.text", "payment.code", "payment.creditor", "payment.text", "supporting", "tax_point_date",
        "lines.allowances_charges.reason_code", "lines.note", "lines.price_discount", "lines.standard_item_id.scheme",
        "lines.unit",
    },
    "8": {"invoiced_object", "supporting", "tax_point_date", "lines.unit"},
    "9": {"due_date", "period", "lines.period"},
}  # fmt: skip


@with_corpus
@pytest.mark.parametrize("number", TWINS)
def test_edifact_says_what_the_same_invoice_says_in_ubl(number: str) -> None:
    examples = CORPUS / "en16931"
    edifact = read("", "", (), (examples / f"edifact/examples/EDIFACT_EXAMPLE{number}.TXT").read_bytes())[0].invoice
    ubl = read("", "", (), (examples / f"ubl/examples/ubl-tc434-example{number}.xml").read_bytes())[0].invoice
    assert set(differences(edifact, ubl)) - WITHOUT_TERM == TWINS[number]
