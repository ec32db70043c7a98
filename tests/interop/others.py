"""What readers that nobody here wrote see in what we write: the number, the amount to pay and the items' names.

`factur-x` and `eu-einvoice` read UBL and CII, `pydifact` EDIFACT, Python's `csv` CSV. There is no sound one for the
national XML formats: their elements are looked up by the names that their schemas give them.
"""

from __future__ import annotations

import csv
import functools
import io
import logging
import re
import warnings
from decimal import Decimal
from typing import Any, NamedTuple

from eu_einvoice.parse import parse_bytes
from facturx.facturx import get_xml_from_pdf
from facturx.parse_xml import parse_ubl_cii_xml
from lxml import etree
from pydifact.segmentcollection import RawSegmentCollection

from gateway.en16931 import Invoice
from gateway.formats.csvlines import unguarded


class Seen(NamedTuple):
    """An invoice in three words. A credit note has a minus in some formats, which does not count."""

    number: str
    payable: Decimal
    items: list[str]


def of_invoice(invoice: Invoice) -> Seen:
    """What should be seen of `invoice`."""
    assert invoice.number
    assert invoice.totals.payable is not None
    return Seen(invoice.number, abs(invoice.totals.payable), [_plain(line.name) for line in invoice.lines])


def seen(target: str, content: bytes) -> list[Seen]:
    """What each of the readers of the format `target` sees."""
    if content.startswith(b"%PDF"):
        _, content = get_xml_from_pdf(content, check_xsd=False)
    if target in _NAMES:
        return [_by_names(target, content)]
    if target == "csv":
        return [_csv(content)]
    if target == "edifact-d96a":
        return [_edifact(content)]
    if target == "oioubl":  # UBL, under a specification that neither of them knows
        plain = content.replace(b">OIOUBL-2.1<", b">urn:cen.eu:en16931:2017<")
        return [_factur_x(plain)]
    return [_factur_x(content), _eu_einvoice(content)]


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _seen(number: Any, payable: Any, items: Any) -> Seen:
    written = re.sub(r"\s", "", str(payable)).replace(",", ".")
    return Seen(str(number), abs(Decimal(written)), [_plain(item) for item in items])


@functools.cache
def _factur_x(content: bytes) -> Seen:
    said = parse_ubl_cii_xml(content, check_xsd=False)  # which it would compile each time
    return _seen(said["BT-1"], said["BT-115"], [line["BT-153"] for line in said["BG-25"]])


@functools.cache
def _eu_einvoice(content: bytes) -> Seen:
    said = parse_bytes(content)[0]
    return _seen(said["number"], said["totals"]["payable"], [line["name"] for line in said["lines"]])


def _csv(content: bytes) -> Seen:
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    items = [unguarded(row["Item name"]) for row in rows]
    return _seen(unguarded(rows[0]["Invoice number"]), rows[0]["Amount due for payment"], items)


def _edifact(content: bytes) -> Seen:
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = RawSegmentCollection.from_str(content.decode("latin-1").replace("\r\n", "\n")).segments
    logging.disable(logging.NOTSET)
    number = next(each.elements[1] for each in found if each.tag == "BGM")
    payable = next(each.elements[0][1] for each in found if each.tag == "MOA" and each.elements[0][0] == "9")
    items = ["".join(each.elements[2][3:]) for each in found if each.tag == "IMD" and each.elements[0] == "F"]
    return _seen(number, payable, items)


# The number, the amount to pay and the names, below the root; * stands for any namespace.
_NAMES = {
    "finvoice": (
        "{*}InvoiceDetails/{*}InvoiceNumber",
        "{*}EpiDetails/{*}EpiPaymentInstructionDetails/{*}EpiInstructedAmount",
        "{*}InvoiceRow/{*}ArticleName",
    ),
    "svefaktura": (
        "{*}ID",
        "{*}LegalTotal/{*}TaxInclusiveTotalAmount",
        "{*}InvoiceLine/{*}Item/{*}Description",
    ),
    "ebinterface": ("{*}InvoiceNumber", "{*}PayableAmount", ".//{*}ListLineItem/{*}Description[1]"),
    "isdoc": ("{*}ID", "{*}LegalMonetaryTotal/{*}PayableAmount", ".//{*}InvoiceLine/{*}Item/{*}Description"),
}


def _by_names(target: str, content: bytes) -> Seen:
    root = etree.fromstring(content)
    number, payable, names = _NAMES[target]
    return _seen(root.findtext(number), root.findtext(payable), [node.text for node in root.iterfind(names)])
