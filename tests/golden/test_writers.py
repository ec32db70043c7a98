"""Every writer case gives its `out.xml` and its losses; `tests/golden/regenerate.py` writes them anew."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from gateway import formats

_SPEC = importlib.util.spec_from_file_location("golden_regenerate", Path(__file__).parent / "regenerate.py")
assert _SPEC is not None
assert _SPEC.loader is not None
regenerate = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(regenerate)
CASES = list(regenerate.writer_cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_writing(case: Path) -> None:
    content, lost = regenerate.writing(case)
    assert content == regenerate.answer(case).read_bytes()
    assert lost == (case / "lost").read_text("utf-8")


def test_every_case_says_what_it_proves() -> None:
    assert all((case / "README").read_text("utf-8").strip() for case in CASES)


def test_every_written_format_has_a_case() -> None:
    written = {entry.name for entry in formats.FORMATS} - {"pdf", "ubl", "original", "fatturapa", "facturae"}
    assert {(case / "target").read_text("utf-8").strip() for case in CASES} == written
