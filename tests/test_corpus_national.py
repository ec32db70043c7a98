"""Sample files of others in Finvoice, EDIFACT, FatturaPA and Facturae: how many give each routing field."""

from __future__ import annotations

import collections

import pytest

from tests import corpus_table

pytestmark = pytest.mark.skipif(not corpus_table.CORPUS.exists(), reason=f"no sample files at {corpus_table.CORPUS}")

ALWAYS = ("number", "issue_date", "type", "seller", "currency", "payable")
# Documents, and how many of them have a number for the customer, and an address; the files have no more.
FOUND = {"finvoice": (4, 0, 0), "edifact": (6, 4, 3), "fatturapa": (13, 13, 4), "facturae": (3, 3, 3)}
# What the files say, by format: number, date, currency and amount to pay, read by eye.
SAID = {
    "finvoice1.xml": ("100946", "2023-02-01", "EUR", "451.98", "Stockmann Oyj Abp"),
    "EDIFACT_EXAMPLE5.TXT": ("TOSL110", "2013-04-10", "DKK", "2337.5", "SellerCompany"),
    "EDIFACT_EXAMPLE8.TXT": ("1100512149", "2014-11-10", "EUR", "1099.78", "Enexis B.V."),
    "IT02182030391_31.xml.p7m": ("2", "2018-06-08", "EUR", "122.00", "Azienda di esempio"),
    "con-bollo.xml": ("FAT01", "2017-01-09", "EUR", "1302.00", "Azienda Ospedaliero-Universitaria di Modena"),
    "invoice-vat-irpf.xml": ("TEST01002F", "2021-12-08", "EUR", "4480.62", "Maria Remedios Sanchez Nuñez"),
}


def test_every_document_gives_what_it_is_routed_by_and_most_of_the_rest() -> None:
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    said = {}
    files = [path for path in corpus_table.files() if any(name in str(path).lower() for name in FOUND)]
    for path in files:
        found = corpus_table.documents(path)
        for document in [] if isinstance(found, str) else found:
            if document.format in FOUND:
                counts[document.format]["documents"] += 1
                counts[document.format].update(
                    field for field in corpus_table.FIELDS if corpus_table.says(document, field)
                )
                issued = str(document.issue_date)
                said[path.name] = (document.number, issued, document.currency, document.payable, document.seller)
    for name, (documents, numbers, emails) in FOUND.items():
        count = counts[name]
        assert count["documents"] == documents, name
        assert [count[field] for field in ALWAYS] == [documents] * len(ALWAYS), name
        assert (count["customer_numbers"], count["emails"]) == (numbers, emails), name
    assert {name: said[name] for name in SAID} == SAID
