"""A company's own template of the page: what it may use, what it cannot reach, and what its faults are called."""

from __future__ import annotations

import os
import re
import socket
import struct
import threading
import zlib
from pathlib import Path

import pytest

from gateway import formats
from gateway.errors import Refused
from tests import pdf_text
from tests.conftest import ROOT
from tests.invoices import NOW, SOURCE, invoice, pdf, read


def png() -> bytes:
    """A red dot (PNG, ISO/IEC 15948)."""
    made = b"\x89PNG\r\n\x1a\n"
    header, pixel = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0), zlib.compress(b"\0\xff\0\0")
    for name, data in ((b"IHDR", header), (b"IDAT", pixel), (b"IEND", b"")):
        made += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pages" / "acme"
    made.mkdir(parents=True)
    return made


def made(folder: Path, template: str, name: str = "invoice.typ") -> str:
    """The text of the first page under this template."""
    (folder / name).write_text(template)
    return pdf_text.pages(pdf(invoice(), pages=folder))[0]


def fault(folder: Path, template: str) -> str:
    with pytest.raises(Refused) as refused:
        made(folder, template)
    assert refused.value.field == "pages"
    return refused.value.sentence


def test_the_example_of_the_documentation_works(folder: Path) -> None:
    (folder / "logo.png").write_bytes(png())
    (documented,) = re.findall(r"```typst\n(.*?)```", (ROOT / "docs/formats.md").read_text("utf-8"), re.DOTALL)
    shown = made(folder, documented)
    assert "Nordvik Skog AB" in shown
    assert "Acme, member of Example Group" in shown


def test_a_folder_without_a_template_changes_nothing(folder: Path) -> None:
    assert pdf(invoice(), pages=folder) == pdf(invoice())
    assert pdf(invoice(), pages=folder / "nobody") == pdf(invoice())


def test_a_template_of_its_own_sees_all_texts(folder: Path) -> None:
    shown = made(folder, '#let d = json("page.json")\n= #d.title #d.number for #d.buyer.first()')
    assert "Invoice F-1042 for Atelier Beaumont SARL" in shown


def test_files_beside_it_and_below_may_be_used(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/terms.typ").write_text("Terms of Acme")
    os.symlink("terms.typ", folder / "sub/same.typ")
    assert "Terms of Acme" in made(folder, '#include "sub/same.typ"')


def test_factur_x_takes_it_too(folder: Path) -> None:
    (folder / "invoice.typ").write_text("Our own page")
    options = formats.Options(language="en", now=NOW, pages=folder)
    content = formats.convert(read(invoice()), SOURCE, "facturx", options).content
    assert "Our own page" in pdf_text.pages(content)[0]


@pytest.mark.parametrize(
    ("template", "line", "words"),
    [
        ("a\n#foo", 2, "unknown variable: foo"),
        ("a\n\n#let x = (1,\n", 3, "unclosed delimiter"),
        ('#let d = json("page.json")\n#d.nothing', 2, 'dictionary does not contain key "nothing"'),
        ("#panic()", 1, "panicked"),
        ('#set text(font: "Inter")\na\n株', 3, "could not be displayed"),
    ],
)
def test_a_fault_names_file_and_line(folder: Path, template: str, line: int, words: str) -> None:
    said = fault(folder, template)
    assert said.startswith(f"The page's template {folder}/invoice.typ, line {line}: ")
    assert words in said
    assert said.endswith(".")


def test_a_fault_in_a_file_beside_it_names_that_file(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/a.typ").write_text("a\nb #foo")
    assert f"{folder}/sub/a.typ, line 2: unknown variable: foo." in fault(folder, '#include "sub/a.typ"')


def test_what_is_no_text_is_a_fault(folder: Path) -> None:
    (folder / "invoice.typ").write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="not valid UTF-8"):
        pdf(invoice(), pages=folder)


@pytest.mark.parametrize("path", ["/etc/passwd", "../../secret.txt", "../secret.txt", "{outside}"])
def test_nothing_outside_the_folder_can_be_read(folder: Path, path: str) -> None:
    secret = folder.parent / "secret.txt"
    secret.write_text("secret")
    said = fault(folder, f'a\n#read("{path.format(outside=secret)}")')
    assert f"{folder}/invoice.typ, line 2: " in said
    assert "secret\n" not in said


@pytest.mark.parametrize("target", ["../secret.txt", "/etc", ".."])
def test_a_link_that_leads_out_of_the_folder_is_refused(folder: Path, target: str) -> None:
    (folder.parent / "secret.txt").write_text("secret")
    os.symlink(target, folder / "link")
    assert f"{folder}/link leads out of the folder" in fault(folder, "a")
    (folder / "link").unlink()
    (folder / "invoice.typ").unlink()
    os.symlink("../secret.txt", folder / "invoice.typ")
    with pytest.raises(Refused, match="leads out of the folder"):
        pdf(invoice(), pages=folder)


def test_a_link_to_the_folder_itself_is_fine(tmp_path: Path, folder: Path) -> None:
    os.symlink(folder, tmp_path / "current")
    assert "Hello" in made(tmp_path / "current", "Hello")


@pytest.mark.parametrize("spec", ['"@preview/example:0.1.0"', '("@prev" + "iew/example:0.1.0")'])
def test_no_package_is_fetched(folder: Path, spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        seen: list[object] = []
        proxy.settimeout(10)
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
            monkeypatch.setenv(name, address)
        listening = threading.Thread(target=lambda: seen.append(_accepted(proxy)))
        listening.start()
        assert "packages cannot be fetched" in fault(folder, f"a\n#let p = {spec}\n#import p: *")
        assert os.environ["HTTPS_PROXY"] == address
        with socket.create_connection(proxy.getsockname()) as last:
            last.sendall(b"end")
        listening.join(10)
    assert seen == [b"end"]  # ours was the first that anybody made


def _accepted(proxy: socket.socket) -> bytes:
    connection, _ = proxy.accept()
    with connection:
        return connection.recv(100)


def test_too_many_files_are_refused(folder: Path) -> None:
    for number in range(501):
        (folder / f"{number}.txt").touch()
    assert "more than 500 files" in fault(folder, "a")
