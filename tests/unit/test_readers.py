"""`readers.read`: by the bytes, in the order of the table, and without a library in the process until it is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway import readers
from gateway.errors import Unreadable
from gateway.readers.item import Item
from gateway.readers.table import READERS

GOLDEN = Path(__file__).parent.parent / "golden"
INVOICE = (GOLDEN / "reader-02-credit-note/in.xml").read_bytes()
PDF = (GOLDEN / "reader-20-pdf-french/in.pdf").read_bytes()


def test_importing_the_package_imports_no_parser() -> None:
    code = (
        "import sys, gateway.readers, gateway.jobs, gateway.mime, gateway.doctypes\n"
        "loaded = sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'lxml', 'pypdfium2', 'pypdfium2_raw', 'pikepdf', 'typst'})\n"
        "assert not loaded, loaded\n"
        "gateway.readers.read('', '', (), sys.stdin.buffer.read())\n"
        "assert 'lxml.etree' in sys.modules and 'pypdfium2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], input=INVOICE, check=True, timeout=30)


@pytest.mark.parametrize(
    ("name", "media_type", "data", "format_"),
    [
        ("x.pdf", "application/pdf", INVOICE, "ubl"),
        ("x.xml", "text/xml", PDF, "pdf"),
        ("", "image/jpeg", b"junk before\n" + PDF, "pdf"),
        ("", "", b"\xef\xbb\xbf\n  " + INVOICE, "ubl"),
    ],
)
def test_names_and_media_types_decide_nothing(name: str, media_type: str, data: bytes, format_: str) -> None:
    assert [document.format for document in readers.read(name, media_type, (), data)] == [format_]


def test_the_last_reader_takes_what_no_other_takes() -> None:
    item = Item(data=b"Dear Sir")
    assert READERS[-1].name == "other"
    assert [reader.name for reader in READERS if reader.sniff(item)] == ["other"]
    with pytest.raises(Unreadable, match="JPEG") as caught:
        readers.read("invoice.xml", "text/xml", (), b"\xff\xd8\xff\xe0")
    assert caught.value.cause == "not-a-document"


def test_without_whole_there_are_fields_but_no_content() -> None:
    whole, brief = (readers.read("", "", (), INVOICE, whole=each)[0] for each in (True, False))
    assert whole.invoice is not None
    assert brief.invoice is None
    assert (brief.number, brief.customer_numbers, brief.evidence) == (
        whole.number,
        whole.customer_numbers,
        whole.evidence,
    )


def test_every_reader_has_a_file_and_a_line_in_the_docs() -> None:
    folder = Path(readers.__file__).parent
    formats = (folder.parent.parent / "docs/formats.md").read_text("utf-8")
    for reader in READERS:
        assert (folder / f"{reader.name}.py").exists()
        assert f"`{reader.name}`" in formats
