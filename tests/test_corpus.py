"""Files of others: nothing crashes; invoices read as an independent parser reads them, but for listed differences."""

from __future__ import annotations

import collections
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway import jobs
from gateway.errors import Unreadable
from gateway.model import ReadDocument
from gateway.readers import read
from tests import corpus_table

ROOT = Path(__file__).parent.parent
CORPUS = ROOT.parent / "shared/corpus"
EXPECTED = CORPUS / "expected-by-factur-x-7.8.json"
FIELDS = ("number", "issue_date", "due_date", "seller", "buyer", "currency", "payable")

pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason=f"the corpus of sample files is not at {CORPUS}")


def look(path: Path) -> ReadDocument | Unreadable:
    try:
        document = read(path.name, "", (), path.read_bytes())[0]
    except Unreadable as error:
        return error
    return document


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(EXPECTED.read_text("utf-8"))
    return found


def inspected(path: Path) -> str:
    """The format that `gateway inspect` shows of a file, which asks a worker for this job, or the cause."""
    try:
        return str(jobs.inspect(path.name, "", (), path.read_bytes())[0][0]["format"])
    except Unreadable as error:
        return error.cause


def test_no_file_does_more_than_being_unreadable() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file() and path.suffix != ".json"]
    seen = collections.Counter(map(inspected, files))
    assert seen["ubl"] >= 80
    assert seen["cii"] >= 100
    assert seen["facturx"] >= 80
    assert seen["pdf"] >= 15
    assert set(seen) <= {
        "ubl",
        "cii",
        "facturx",
        "finvoice",
        "edifact",
        "orderx",
        "ebinterface",
        "isdoc",
        "fatturapa",
        "facturae",
        "pdf",
        "unknown-type",
        "not-a-document",
        "pdf-damaged",
        "malformed-xml",
        "malformed-edifact",
        "encoding",
        "signature-damaged",
        "other",
    }


def test_invoices_read_as_an_independent_parser_reads_them(expected: dict[str, dict[str, Any]]) -> None:
    differences: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    compared: collections.Counter[str] = collections.Counter()
    for name, theirs in expected.items():
        found = look(CORPUS / name)
        assert isinstance(found, ReadDocument), (name, found)
        compared[found.format] += 1
        for field in FIELDS:
            ours = getattr(found, field)
            shown = None if ours is None else str(ours)
            if shown != theirs[field]:
                differences[name, field] = (shown, theirs[field])
    listed = tomllib.loads((ROOT / "tests/corpus_differences.toml").read_text("utf-8"))
    wanted = {
        (name, entry["field"]): (entry.get("ours"), entry.get("theirs"))
        for name, entries in listed.items()
        for entry in entries
    }
    assert differences == wanted
    assert all(entry["why"] for entries in listed.values() for entry in entries)
    assert compared["ubl"] >= 80
    assert compared["cii"] >= 100
    assert compared["facturx"] >= 50


def test_customer_numbers_are_the_buyers(expected: dict[str, dict[str, Any]]) -> None:
    """BT-46 of the independent reading is among our candidates, those without scheme before those with one."""
    for name, theirs in expected.items():
        found = look(CORPUS / name) if name.endswith(".xml") else None
        if isinstance(found, ReadDocument) and theirs["buyer_identifiers"]:
            numbers = {" ".join(number.split()) for number in theirs["buyer_identifiers"].values()}
            assert numbers <= set(found.customer_numbers), name


def test_the_documented_tables_are_what_is_read() -> None:
    (documented,) = corpus_table.PLACE.findall(corpus_table.DOCS.read_text("utf-8"))
    assert documented == corpus_table.table(), "python -m tests.corpus_table --write brings them up to date"
