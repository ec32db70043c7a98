"""Every reader case gives what its `out.json` says; `tests/golden/regenerate.py` writes them anew."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from gateway import doctypes
from gateway.model import ReadDocument
from gateway.readers.table import READERS

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("reader-*"))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"golden_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


regenerate = load("regenerate")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reading(case: Path) -> None:
    assert regenerate.reading(case).decode() == (case / "out.json").read_text("utf-8")


def outs() -> list[ReadDocument]:
    return [
        document
        for case in CASES
        for document in msgspec.json.decode((case / "out.json").read_bytes(), type=list[ReadDocument])
    ]


def test_every_case_says_what_it_proves() -> None:
    assert all((case / "README").read_text("utf-8").strip() for case in CASES)


def test_every_reader_and_every_type_has_a_case() -> None:
    found = outs()
    assert {document.format for document in found} == {reader.name for reader in READERS} - {"other"} | {"facturx"}
    assert {document.type for document in found} == set(doctypes.names())


def test_every_value_has_evidence() -> None:
    for document in outs():
        places = {(each.field, each.value) for each in document.evidence}
        assert all(("customer_number", number) in places for number in document.customer_numbers)
        assert all(("email", email) in places for email in document.emails)
        fields = {field for field, _ in places}
        for field in ("profile", "number", "issue_date", "due_date", "seller", "buyer", "currency", "payable"):
            assert getattr(document, field) is None or field in fields, (document.number, field)


def test_the_pdfs_are_those_of_their_script(tmp_path: Path) -> None:
    script = load("make_reader_pdfs")
    script.HERE = tmp_path
    script.main()
    for name in script.CASES:
        assert (tmp_path / name / "in.pdf").read_bytes() == (HERE / name / "in.pdf").read_bytes(), name
