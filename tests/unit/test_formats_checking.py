"""`gateway.formats.checking`: which rules are found, and a verdict that never says more than was looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import formats, jobs
from gateway.formats import checking
from gateway.formats.checking import Check

GOLDEN = Path(__file__).parent.parent / "golden"
CII = (GOLDEN / "write-05-en16931-cii/out.xml").read_bytes()
UBL = (GOLDEN / "write-01-en16931-ubl/out.xml").read_bytes()


def test_every_written_format_has_its_rules() -> None:
    assert set(checking.SETS) == {entry.name for entry in formats.FORMATS} - {
        "pdf",
        "ubl",
        "original",
        "csv",  # of which there is no schema
        "fatturapa",
        "facturae",
    }
    assert all(sets[0].title.endswith("schema") for sets in checking.SETS.values())


@pytest.mark.parametrize(("target", "data"), [("en16931-cii", CII), ("en16931-ubl", UBL)])
def test_what_keeps_the_rules(target: str, data: bytes) -> None:
    found = checking.check(target, data)
    assert (found.broken, found.unchecked) == ((), ())
    assert [title.split(" (")[0] for title in found.checked] == [rules.title for rules in checking.SETS[target]]


def test_a_broken_rule_and_a_broken_schema() -> None:
    wrong = UBL.replace(b"30.06</cbc:TaxInclusive", b"31.06</cbc:TaxInclusive")
    assert "BR-CO-15" in dict(checking.check("en16931-ubl", wrong).broken)
    odd = UBL.replace(b"cbc:IssueDate>", b"cbc:IssueDay>")
    assert checking.check("en16931-ubl", odd).broken[0][0] == "schema"


def test_rules_that_no_package_carries_are_not_checked() -> None:
    data = (GOLDEN / "write-02-peppol/out.xml").read_bytes()
    found = checking.check("peppol", data)
    assert found.unchecked == ("Peppol rules",)
    assert found.sentence().endswith("Not checked: Peppol rules.")


def test_the_verdict_without_any_rules() -> None:
    assert checking.unchecked("en16931-cii").sentence() == "Not checked: Factur-X schema, EN 16931 rules."
    assert checking.unchecked("pdf").sentence() == ""
    assert Check(checked=("a",), unchecked=("b",)).sentence() == "Checked: a. Not checked: b."


def test_without_the_package_nothing_is_said_to_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking.importlib.util, "find_spec", lambda name: None)
    assert not checking.is_possible()
    assert checking.check("en16931-cii", CII) == checking.unchecked("en16931-cii")


def test_the_job_looks_inside_a_pdf() -> None:
    options = {"now": "2026-11-24T09:30:05+00:00"}
    source = (GOLDEN / "write-10-facturx/in.xml").read_bytes()
    _, pdf = jobs.convert("F1.xml", "facturx", "en", options, source)
    found, _ = jobs.check("facturx", pdf)
    assert found["broken"] == ()
    assert len(found["checked"]) == 2


def test_rules_and_schemas_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which takes half a second; a document takes ten milliseconds after that."""
    assert checking.check("en16931-cii", CII).broken == ()
    monkeypatch.setattr(checking.schematron, "lean", lambda path: pytest.fail(f"{path} is compiled again"))
    monkeypatch.setattr(checking, "_CLOSED", None)
    before = checking._schema.cache_info().misses
    assert checking.check("en16931-cii", CII).broken == ()
    assert checking._schema.cache_info().misses == before
