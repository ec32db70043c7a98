"""Where the sentences of a held document say that a term should stand: a place of the format that it came in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway import formats
from gateway.errors import Unconvertible, Unreadable
from gateway.formats.ebinterface import ebinterface_6
from gateway.formats.places import PLACES
from gateway.formats.ubl_profiles import peppol_bis
from gateway.model import Attachment
from gateway.readers import read
from tests import invoices

GOLDEN = Path(__file__).parent.parent / "golden"
OPTIONS = formats.Options(language="en", now=invoices.NOW)
FILES = {  # the goldens that are invoices whole, and what is written so
    "fatturapa": ("reader-5[567]-*/in.xml",),
    "facturae": ("reader-58-*/in.xml",),
    "finvoice": ("reader-5[01]-*/in.xml", "write-2[01]-*/out.xml"),
    "svefaktura": ("reader-60-*/in.xml", "write-30-*/out.xml"),
    "ebinterface": ("reader-6[12]-*/in.xml", "write-31-*/out.xml"),
    "isdoc": ("reader-6[34]-*/in.xml", "write-3[23]-*/out.xml"),
}


def test_every_format_that_is_read_whole_has_its_places() -> None:
    read_whole = set()
    for file in GOLDEN.glob("reader-*/in.*"):
        try:
            document = read(file.name, "", (), file.read_bytes())[0]
        except Unreadable:
            continue
        if document.invoice is not None:
            read_whole.add(document.format)
    assert read_whole - {"ubl", "cii", "facturx"} == set(PLACES)


def _is_there(root: Any, path: str) -> bool:
    """Whether `path`, by local names, leads to something below `root`."""
    steps = [re.sub(r"^[A-Za-z]+", lambda name: f"*[local-name() = '{name[0]}']", step) for step in path.split("/")]
    return bool(root.xpath("/".join(steps)))


@pytest.mark.parametrize("name", FILES)
def test_every_place_is_one_of_the_format(name: str) -> None:
    roots = [etree.parse(str(file)).getroot() for pattern in FILES[name] for file in GOLDEN.glob(pattern)]
    if name == "ebinterface":  # whose goldens are paid by direct debit
        made = ebinterface_6.write(invoices.read(invoices.invoice()), invoices.SOURCE, OPTIONS)
        roots.append(etree.fromstring(made.content))
    root, below = PLACES[name]
    assert {f"/{etree.QName(each).localname}" for each in roots} >= {root}
    missing = {path for path in below.values() if not any(_is_there(each, path) for each in roots)}
    assert missing == set()


@pytest.mark.parametrize(
    ("case", "entry", "place"),
    [
        (
            "reader-55-fatturapa-whole",
            peppol_bis,
            "/FatturaElettronica/FatturaElettronicaBody/DatiBeniServizi/DatiRiepilogo/Natura",
        ),
        ("reader-58-facturae-whole", peppol_bis, "/Facturae, which has no place for it"),
        ("reader-63-isdoc-whole", ebinterface_6, "/Invoice/InvoiceLines/InvoiceLine/InvoicedQuantity/@unitCode"),
    ],
)
def test_the_sentence_names_it(case: str, entry: Any, place: str) -> None:
    data = (GOLDEN / case / "in.xml").read_bytes()
    with pytest.raises(Unconvertible) as refusal:
        entry.write(read("", "", (), data)[0], Attachment(name="a.xml", media_type="", content=data), OPTIONS)
    assert place in refusal.value.sentence


@pytest.mark.parametrize("case", ["reader-116-idoc-flat/in.txt", "reader-112-cxml-invoice/in.xml"])
def test_an_invoice_that_is_only_routed_and_shown_says_so(case: str) -> None:
    data = (GOLDEN / case).read_bytes()
    with pytest.raises(Unconvertible, match="no more is read than what it is routed and shown by"):
        peppol_bis.write(read("", "", (), data)[0], Attachment(name="a", media_type="", content=data), OPTIONS)
