"""`gateway.formats.fitting`: what a format has no room for is named by its words, never by a number alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.formats.fitting import Fitting, named

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("BT-14", "the sales order reference (BT-14)"),
        ("BT-6, BT-111", "the VAT accounting currency code (BT-6), BT-111"),
        ("BT-12 without its date", "the contract reference (BT-12) without its date"),
        ("BG-10", "the payee (BG-10)"),
        ("trading names (BT-28)", "trading names (BT-28)"),
        ("BT-999", "BT-999"),
    ],
)
def test_a_term_has_its_name(term: str, words: str) -> None:
    assert named(term) == words


def test_every_way_to_lose_a_value_names_its_term() -> None:
    lost: list[str] = []
    fit = Fitting("X", lost)
    fit.text("BT-14", "abcdef", 3)
    fit.code("BT-14", "abcdef", 3)
    fit.leave("BT-14", "abc")
    assert lost == [
        "X holds 3 characters of the sales order reference (BT-14); cut off: “def”.",
        "X holds 3 characters of the sales order reference (BT-14); abcdef was left out.",
        "X has no place for the sales order reference (BT-14); abc was left out.",
    ]


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("write-*/lost")), ids=lambda case: case.parent.name)
def test_no_loss_of_a_writer_is_a_number_without_a_name(case: Path) -> None:
    assert not re.findall(r"(?m)^.*(?:no place for|characters of) B[TG]-\d+.*$", case.read_text("utf-8"))
