"""The table of routing types: complete, without contradictions, and what it recognises."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import doctypes
from gateway.errors import Refused


def test_table_holds_every_file_of_the_package() -> None:
    files = {file.stem for file in Path(doctypes.__file__).parent.glob("*.py")} - {"__init__", "kind"}
    assert files == set(doctypes.names())


def test_no_root_code_or_word_is_claimed_by_two_types() -> None:
    for part in ("roots", "codes", "words"):
        claimed = [key for kind in doctypes.DOCTYPES for key in getattr(kind, part)]
        assert len(claimed) == len(set(claimed)), part


@pytest.mark.parametrize("kind", doctypes.DOCTYPES, ids=lambda kind: kind.name)
def test_every_type_and_subtype_has_a_label_in_the_four_languages(kind: doctypes.DocumentType) -> None:
    for labels in (kind.labels, *kind.subtypes.values()):
        assert set(labels) == {"en", "fr", "de", "sv"}
    assert all(word == word.casefold() for word in kind.words)


def test_find_names_the_nearest_type() -> None:
    assert doctypes.find("invoice").name == "invoice"
    with pytest.raises(Refused, match="did you mean invoice") as caught:
        doctypes.find("invoce")
    assert caught.value.field == "type"
    with pytest.raises(Refused, match="there are invoice, order"):
        doctypes.find("zzz")


def test_a_label_falls_back_to_english_and_to_the_type() -> None:
    invoice = doctypes.find("invoice")
    assert invoice.label("fr") == "Facture"
    assert invoice.label("fr", "credit_note") == "Avoir"
    assert invoice.label("fi", "credit_note") == "Credit note"
    assert invoice.label("sv", "invoice") == "Faktura"


@pytest.mark.parametrize(
    ("code", "subtype"),
    [
        ("380", "invoice"),
        ("381", "credit_note"),
        ("383", "debit_note"),
        ("384", "corrective"),
        ("386", "prepayment"),
        ("389", "self_billed"),
        ("261", "credit_note"),
        ("326", "invoice"),
        ("751", "invoice"),
        ("935", "invoice"),
        ("220", None),
    ],
)
def test_invoice_codes(code: str, subtype: str | None) -> None:
    assert doctypes.invoice_subtype(code) == subtype


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("INVOICE", ("invoice", "invoice", "title")),
        ("Invoice no. 4711", ("invoice", "invoice", "numbered")),
        ("Invoice date 2026-01-02", ("invoice", "invoice", "start")),
        ("Credit note 4711", ("invoice", "credit_note", "numbered")),
        ("Facture n° F-17", ("invoice", "invoice", "numbered")),
        ("Facture d’acompte", ("invoice", "prepayment", "title")),
        ("Gutschrift", ("invoice", "credit_note", "title")),
        ("Betalningspåminnelse", ("reminder", None, "title")),
        ("Order confirmation", ("order_response", None, "title")),
        ("Lieferschein Nr. 17", ("despatch_advice", None, "numbered")),
        ("Order: 17", ("order", None, "start")),
        ("Bestellung:", ("order", None, "start")),
        ("Invoices are paid late", None),
        ("Dear Sir", None),
    ],
)
def test_titles_reveal_a_type(line: str, expected: tuple[str, str | None, str] | None) -> None:
    found = doctypes.reveal(line)
    assert (found and (found[0].name, *found[1:])) == expected
