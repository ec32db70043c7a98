"""What we write, opened and saved by LibreOffice where it is installed (Debian: libreoffice-calc-nogui)."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from gateway.workbook import listing, model, writing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice's soffice is not installed"),
]
OPTIONS = model.Options(type="invoice", types=("invoice",), formats=("pdf", "xrechnung-ubl"), today="2026-03-02")
ROWS = [
    {"number": "0001001", "email": ["a@customer.example", "b@customer.example"], "name": "=1+1", "language": "sv"},
    {"number": "=1+1", "email": ["+b@customer.example"], "cc": ["-c@customer.example"], "name": "@SUM(A1)"},
    {"number": "-1", "email": ["=d@customer.example"], "name": "=cmd|' /C calc'!A0", "format": "pdf"},
    {"number": "1E5", "email": ["e@customer.example"], "name": "2026-01-01", "constants": ["BT-10=04011000-12345-34"]},
    {"number": "12345678901234567890", "email": ["f@customer.example"], "name": "日本 ÅÄÖ _x0041_"},
]


def saved(folder: Path, file: bytes, target: str) -> bytes:
    """The workbook as LibreOffice saves it in the format `target`."""
    source = folder / "source.xlsx"
    source.write_bytes(file)
    home = f"-env:UserInstallation=file://{folder}/home"
    command = ["soffice", home, "--headless", "--convert-to", target, "--outdir", str(folder / "out"), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=110, cwd=folder)
    (made,) = (folder / "out").iterdir()
    return made.read_bytes()


def listed(file: bytes) -> list[model.Listed]:
    summary, frames = listing.read(file, OPTIONS)
    assert (summary.errors, summary.warnings) == (0, 0)
    return [row for rows, _ in model.unpack(frames, model.Listed, 0) for row in rows]


def test_the_template_is_read_with_all_that_it_shows(tmp_path: Path) -> None:
    made = load_workbook(io.BytesIO(saved(tmp_path, writing.template("fr", "invoice"), "xlsx"))).active
    assert [cell.value for cell in made[1]][:4] == ["Numéro de client*", "E-mail*", "CC", "Nom"]
    assert made["A5"].value == "# 0001001"
    assert made.column_dimensions["B"].width == pytest.approx(38, abs=1)
    assert {made.cell(line, column).number_format for line in (1, 5, 6) for column in (1, 2)} == {"@"}
    assert "zéros compris" in made["A1"].comment.text


def test_what_is_typed_below_the_template_keeps_its_zeros(tmp_path: Path) -> None:
    """The columns are text as a whole: also rows that nobody has written yet."""
    file = saved(tmp_path, writing.template("en"), "xlsx")
    made = load_workbook(io.BytesIO(file)).active
    assert made.column_dimensions["A"].number_format == "@" or made["A20"].number_format == "@"


def test_an_export_comes_back_unchanged_and_without_a_formula(tmp_path: Path) -> None:
    file = writing.export(ROWS, "de")
    again = saved(tmp_path, file, "xlsx")
    assert listed(again) == listed(file)
    assert len(listed(file)) == len(ROWS)
    with zipfile.ZipFile(io.BytesIO(again)) as package:
        assert b"<f" not in package.read("xl/worksheets/sheet1.xml").replace(b"<fo", b"")


def test_a_formula_is_nowhere_when_the_export_is_shown(tmp_path: Path) -> None:
    """As text: nothing was computed."""
    text = saved(tmp_path, writing.export(ROWS, "en"), "csv:Text - txt - csv (StarCalc):59,34,76").decode()
    assert "0001001;a@customer.example; b@customer.example" in text.replace('"', "")
    assert "=1+1" in text
    assert "=cmd|' /C calc'!A0" in text
    assert "12345678901234567890" in text
