"""XML of a spreadsheet, element by element: the tree of a part never stands in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from lxml import etree

from gateway.errors import Refused

_PIECE = 1 << 16  # bytes
_QUIET = 4 << 20  # bytes without one of the elements asked for; a row of 50 full cells has less


def elements(file: IO[bytes], *names: str) -> Iterator[Any]:
    """The elements with these local names, each whole, in the order of their ends; gone when the next is asked for.

    Refused when the XML is malformed, has a document type, or buries what is asked for.
    """
    parser = etree.XMLPullParser(
        events=("end",),
        tag=[f"{{*}}{name}" for name in names],
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from _pulled(parser, file)
    except etree.XMLSyntaxError as error:
        raise Refused("The workbook is damaged: its XML is malformed.", "file") from error


def _pulled(parser: Any, file: IO[bytes]) -> Iterator[Any]:
    quiet, looked = 0, False
    while data := file.read(_PIECE):
        parser.feed(data)
        quiet += len(data)
        for _, element in parser.read_events():
            quiet = 0
            if not looked:
                looked = True
                _refuse_doctype(element)
            yield element
            _forget(element)
        if quiet > _QUIET:
            raise Refused("The workbook has a part that no spreadsheet program writes.", "file")
    parser.close()
    for _, element in parser.read_events():
        yield element
        _forget(element)


def _refuse_doctype(element: Any) -> None:
    """Office Open XML has none (ISO/IEC 29500-2 §7.2); entities are the only use of one here."""
    if element.getroottree().docinfo.doctype:
        raise Refused("The workbook has an XML document type, which no spreadsheet program writes.", "file")


def _forget(element: Any) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and parent[0] is not element:
        del parent[0]
