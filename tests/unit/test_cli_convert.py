"""`gateway convert` and `gateway formats list`: no daemon, no configuration, one sentence when it cannot be done."""

import json

import pytest

from gateway import cli, formats, resources
from tests import pdf_text

INVOICE = str(resources.path("samples/invoice-kvarnbacken.xml"))
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
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == NAMES


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
