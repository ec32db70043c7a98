"""Flat IDocs: records of fixed columns, a line each, given the shape that the same IDoc has in XML.

A control record EDI_DC40 (524 characters), then data records: SEGNAM 30, MANDT 3, DOCNUM 16, SEGNUM 6, PSGNUM 6,
HLEVEL 2 and the segment's own columns (SDATA 1000). A newer definition of a segment (E2EDK01005) only adds columns
behind those of an older one (E2EDK01), so the columns here fit every release. They end with the last that is read.
"""

from __future__ import annotations

import collections
import io
import itertools
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from gateway.errors import Unreadable
from gateway.readers.limits import MAX_TOTAL

CONTROL = b"EDI_DC40"
_MARK = b"\xef\xbb\xbf"
_MAX_RECORDS = 200_000
_HEAD = 63  # characters of a data record before the segment's own columns


def _columns(text: str) -> dict[str, slice]:
    """`NAME LENGTH NAME LENGTH …`, one behind the other, as the place of each name."""
    words = text.split()
    ends = list(itertools.accumulate(map(int, words[1::2])))
    return {name: slice(start, end) for name, start, end in zip(words[::2], [0, *ends], ends, strict=False)}


_CONTROL = _columns(
    "TABNAM 10 MANDT 3 DOCNUM 16 DOCREL 4 STATUS 2 DIRECT 1 OUTMOD 1 EXPRSS 1 TEST 1 IDOCTYP 30 CIMTYP 30 MESTYP 30"
)
# The segments of INVOIC01 and INVOIC02 that are read, and the segment that each belongs to, if any.
SEGMENTS: dict[str, tuple[str, dict[str, slice]]] = {
    "E1EDK01": (
        "",
        _columns("ACTION 3 KZABS 1 CURCY 3 HWAER 3 WKURS 12 ZTERM 17 KUNDEUINR 20 EIGENUINR 20 BSART 4 BELNR 35"),
    ),
    "E1EDKA1": (
        "",
        _columns(
            "PARVW 3 PARTN 17 LIFNR 17 NAME1 35 NAME2 35 NAME3 35 NAME4 35 STRAS 35 STRS2 35 PFACH 35 ORT01 35 COUNC 9 "
            "PSTLZ 9 PSTL2 9 LAND1 3 ABLAD 35 PERNR 30 PARNR 30 TELF1 25 TELF2 25 TELBX 25 TELFX 25 TELTX 25 TELX1 25 "
            "SPRAS 1 ANRED 15 ORT02 35 HAUSN 6 STOCK 6 REGIO 3 PARGE 1 ISOAL 2 ISONU 2 FCODE 20 IHREZ 30 BNAME 35 "
            "PAORG 30 ORGTX 35 PAGRU 30 KNREF 30 ILNNR 70 PFORT 35 SPRAS_ISO 2 TITLE 15"
        ),
    ),
    "E1EDKA3": ("E1EDKA1", _columns("QUALP 3 STDPN 70")),
    "E1EDK02": ("", _columns("QUALF 3 BELNR 35 POSNR 6 DATUM 8 UZEIT 6")),
    "E1EDK03": ("", _columns("IDDAT 3 DATUM 8 UZEIT 6")),
    "E1EDK17": ("", _columns("QUALF 3 LKOND 3 LKTEXT 70")),
    "E1EDK18": ("", _columns("QUALF 3 TAGE 8 PRZNT 8 ZTERM_TXT 70")),
    "E1EDKT1": ("", _columns("TDID 4")),
    "E1EDKT2": ("E1EDKT1", _columns("TDLINE 70")),
    "E1EDP01": (
        "",
        _columns(
            "POSEX 6 ACTION 3 PSTYP 1 KZABS 1 MENGE 15 MENEE 3 BMNG2 15 PMENE 3 ABFTZ 7 VPREI 15 PEINH 9 NETWR 18"
        ),
    ),
    "E1EDP02": ("E1EDP01", _columns("QUALF 3 BELNR 35")),
    "E1EDP19": ("E1EDP01", _columns("QUALF 3 IDTNR 35 KTEXT 70")),
    "E1EDP26": ("E1EDP01", _columns("QUALF 3 BETRG 18")),
    "E1EDPT1": ("E1EDP01", _columns("TDID 4")),
    "E1EDPT2": ("E1EDPT1", _columns("TDLINE 70")),
    "E1EDS01": ("", _columns("SUMID 3 SUMME 18 SUNIT 3 WAERQ 3")),
}
_NAME = re.compile(r"E[12](ED[A-Z0-9]{3})(?:\d{3})?")  # a type E1EDK01, or its definition E2EDK01005
_STANDARD = re.compile(r"E[12]ED|EDI_DS")  # what SAP writes as well, and nobody asks for: conditions, taxes, status
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML 1.0 §2.2


def is_flat(data: bytes) -> bool:
    """Whether `data` starts with a control record."""
    return data.removeprefix(_MARK).startswith(CONTROL)


def element(data: bytes, notes: list[str]) -> Any:
    """The IDoc as the element that it would be in XML; what is passed over goes to `notes`.

    Unreadable with `too-large`, and `unknown-type` where no segment of an invoice is in it.
    """
    root = etree.Element("INVOIC")
    idoc = etree.SubElement(root, "IDOC")
    last: dict[str, Any] = {}
    unknown: collections.Counter[str] = collections.Counter()
    for record in _records(data):
        if record.startswith(CONTROL.decode()):
            _fill(etree.SubElement(idoc, "EDI_DC40"), record, _CONTROL)
            continue
        name = record[:30].strip()
        found = _NAME.fullmatch(name)
        segment = f"E1{found[1]}" if found else ""
        if segment not in SEGMENTS:
            unknown.update([] if _STANDARD.match(name) else [name])
            continue
        above, columns = SEGMENTS[segment]
        parent = last.get(above) if above else idoc
        if parent is not None:
            last[segment] = _fill(etree.SubElement(parent, segment), record[_HEAD:], columns)
    if not last:
        raise Unreadable("unknown-type", "The flat IDoc has no segment of an invoice.")
    if unknown:
        names = ", ".join(f"{name[:30] or 'without a name'} ({count})" for name, count in sorted(unknown.items())[:10])
        notes.append(f"Segments that are not SAP's are not read: {names}.")
    return root


def _records(data: bytes) -> Iterator[str]:
    """The lines. Whoever writes Unicode writes UTF-8; other systems write Latin-1 or the Windows code page."""
    data = data.removeprefix(_MARK)
    if len(data) > MAX_TOTAL or data.count(b"\n") > _MAX_RECORDS:
        raise Unreadable("too-large", f"The flat IDoc has more than {_MAX_RECORDS} records or {MAX_TOTAL} bytes.")
    encoding = "utf-8" if all(map(_is_utf8, io.BytesIO(data))) else "cp1252"
    for line in io.BytesIO(data):
        text = _UNWRITABLE.sub(" ", line.rstrip(b"\r\n").decode(encoding, "replace"))
        if text.strip():
            yield text


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeError:
        return False
    return True


def _fill(node: Any, text: str, columns: dict[str, slice]) -> Any:
    """`node` with an element for each column that says something."""
    for name, place in columns.items():
        value = text[place].strip()
        if value:
            etree.SubElement(node, name).text = value
    return node
