"""Every version that formats.md names is read: what makes a version is put into a golden, and the rest stays said."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import formats
from gateway.errors import Unconvertible
from gateway.model import Attachment, ReadDocument
from gateway.readers import read
from tests import invoices

GOLDEN = Path(__file__).parent.parent / "golden"
FACTURAE = [
    ("http://www.facturae.es/Facturae/2009/v3.2/Facturae", "3.2"),
    ("http://www.facturae.es/Facturae/2014/v3.2.1/Facturae", "3.2.1"),
    ("http://www.facturae.gob.es/formato/Versiones/Facturaev3_2_2.xml", "3.2.2"),
]
LEVELS = ("minimum", "basicwl", "basic", "extended")


def edited(case: str, *replacements: tuple[str, str]) -> ReadDocument:
    file = next(GOLDEN.glob(f"reader-{case}-*/in.*"))
    data = file.read_bytes()
    for old, new in replacements:
        assert old.encode() in data, old
        data = data.replace(old.encode(), new.encode())
    return read("", "", (), data)[0]


def same(one: ReadDocument, other: ReadDocument) -> bool:
    """The same invoice, whatever it says of its version."""
    return (one.number, one.customer_numbers, one.payable, one.seller) == (
        other.number,
        other.customer_numbers,
        other.payable,
        other.seller,
    ) and one.invoice is not None


@pytest.mark.parametrize("version", ["1.3", "2.0", "2.01"])
def test_finvoice(version: str) -> None:
    document = edited("51", ('Version="2.01"', f'Version="{version}"'))
    assert (document.format, document.profile) == ("finvoice", version)
    assert same(document, edited("51"))


@pytest.mark.parametrize(("namespace", "version"), FACTURAE)
def test_facturae(namespace: str, version: str) -> None:
    document = edited("58", (FACTURAE[2][0], namespace), ("<SchemaVersion>3.2.2<", f"<SchemaVersion>{version}<"))
    assert (document.format, document.profile) == ("facturae", version)
    assert same(document, edited("58"))


@pytest.mark.parametrize(
    ("case", "old", "version"),
    [("64", "5.3", "5.1"), ("64", "5.3", "5.3.1"), ("63", "6.0.2", "6.0"), ("63", "6.0.2", "6.0.1")],
)
def test_isdoc(case: str, old: str, version: str) -> None:
    document = edited(case, (f'version="{old}"', f'version="{version}"'))
    assert (document.format, document.profile) == ("isdoc", version)
    assert same(document, edited(case))


@pytest.mark.parametrize("version", ["2.01", "2.02", "2.1"])
def test_oioubl(version: str) -> None:
    document = edited("65", ("OIOUBL-2.02", f"OIOUBL-{version}"))
    assert document.profile == f"OIOUBL-{version}"
    assert same(document, edited("65"))
    assert document.invoice == edited("65").invoice or version != "2.02"


@pytest.mark.parametrize("level", LEVELS)
def test_factur_x(level: str) -> None:
    """A profile says less than another; what is there is read, and shown as a page."""
    name = f"urn:factur-x.eu:1p0:{level}"
    document = edited("40", (">urn:cen.eu:en16931:2017<", f">{name}<"))
    assert document.profile == name
    assert same(document, edited("40"))


def test_an_invoice_without_lines_as_minimum_has_is_read_and_shown_and_not_written() -> None:
    data = next(GOLDEN.glob("reader-40-*/in.xml")).read_text("utf-8")
    start, end = data.index("<ram:IncludedSupplyChainTradeLineItem>"), data.rindex("</ram:IncludedSupplyChain")
    data = data[:start] + data[end + len("</ram:IncludedSupplyChainTradeLineItem>") :]
    source = Attachment(name="a.xml", media_type="application/xml", content=data.encode())
    document = read("a.xml", "", (), source.content)[0]
    assert document.invoice is not None
    assert document.invoice.lines == ()
    assert document.number == edited("40").number
    options = formats.Options(language="en", now=invoices.NOW)
    assert formats.convert(document, source, "pdf", options).content.startswith(b"%PDF")
    for target in ("peppol", "facturx-basic", "csv"):
        with pytest.raises(Unconvertible) as refusal:
            formats.convert(document, source, target, options)
        assert refusal.value.term in ("BG-25", "BT-34")
