"""What is in the recipient's format already leaves as the bytes that came (D13), whatever else the row says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import msgspec
import pytest

from gateway import formats
from gateway.model import Attachment
from gateway.readers import read
from tests import invoices
from tests.conftest import ROOT
from tests.invoices import NOW

_SPEC = importlib.util.spec_from_file_location("golden_regenerate", ROOT / "tests/golden/regenerate.py")
assert _SPEC is not None
assert _SPEC.loader is not None
regenerate = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(regenerate)
CASES = [  # a Factur-X is a PDF, and CSV is not read
    case
    for case in regenerate.writer_cases()
    if not (case / "target").read_text("utf-8").startswith(("facturx", "csv"))
]
CONSTANTS = ("BT-11=P-1", "BT-12=C-1", "BT-19=K-1")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_we_wrote_goes_on_untouched(case: Path) -> None:
    target = (case / "target").read_text("utf-8").strip()
    data = regenerate.answer(case).read_bytes()
    (document,) = read("a", "", (), data)
    options = formats.Options(language="fr", now=NOW, constants=CONSTANTS, page=b"%PDF-1.7")
    assert formats.is_already(document, data, target)
    source = Attachment(name="a", media_type="a/b", content=data)
    assert formats.convert(document, source, target, options) is source


@pytest.mark.parametrize("target", ["facturx", "facturx-basic", "facturx-extended"])
def test_factur_x_of_a_profile_that_the_target_takes_goes_on_untouched(target: str) -> None:
    content = invoices.invoice()
    options = formats.Options(language="en", now=NOW)
    made = formats.convert(invoices.read(content), invoices.SOURCE, target, options)
    (again,) = read("a", "", (), made.content)
    options = formats.Options(language="fr", now=NOW, constants=CONSTANTS)
    for wanted in {target, "facturx", "pdf"}:
        assert formats.convert(again, made, wanted, options) is made


def test_a_narrower_profile_is_written_anew() -> None:
    plain = next(case for case in CASES if (case / "target").read_text("utf-8").strip() == "en16931-ubl")
    data = regenerate.answer(plain).read_bytes()
    (document,) = read("a", "", (), data)
    assert not formats.is_already(document, data, "peppol")
    assert not formats.is_already(document, data, "xrechnung-ubl")


@pytest.mark.parametrize(
    ("wrapped", "already"),
    [
        ((), {"ubl", "en16931-ubl", "original"}),
        (("sbdh",), {"ubl", "original"}),  # receivers of UBL take the envelope, a format is the document alone
        (("cms",), {"original"}),
        (("zip", "sbdh"), {"original"}),
    ],
)
def test_what_came_in_an_envelope_is_taken_out_of_it(wrapped: tuple[str, ...], already: set[str]) -> None:
    plain = next(case for case in CASES if (case / "target").read_text("utf-8").strip() == "en16931-ubl")
    data = regenerate.answer(plain).read_bytes()
    (document,) = read("a", "", (), data)
    document = msgspec.structs.replace(document, wrapped=wrapped)
    assert {entry.name for entry in formats.FORMATS if formats.is_already(document, data, entry.name)} == already
