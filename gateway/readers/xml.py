"""XML, parsed in one place: bounded, without DOCTYPE, in any of the encodings that are met.

The parser sees UTF-8 only. What the bytes are is decided here (byte order mark, XML declaration, XML 1.0 appendix F),
so that no check can be walked around by an encoding that libxml2 knows and we do not.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from gateway.errors import Unreadable

MAX_SIZE = 20_000_000  # bytes
MAX_ELEMENTS = 500_000
MAX_ATTRIBUTES = 500_000  # of the whole document
MAX_ATTRIBUTES_PER_ELEMENT = 100
MAX_DEPTH = 100

_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_WITHOUT_BOM = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
_DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([^\"'<>]{1,60})[\"']")
_MISSPELT = re.compile(rb"(<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"'])[^\"'<>]*[^A-Za-z0-9._\-\"'<>][^\"'<>]*([\"'])")
_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "latin1": "iso-8859-1",
    # Declared so in bytes that are plainly not 16 bits wide: what .NET's StringWriter makes of UTF-8.
    "utf-16": "utf-8",
    **{f"iso-8859-{n}": f"iso-8859-{n}" for n in (1, 2, 3, 4, 5, 7, 9, 10, 13, 14, 15, 16)},
    **{f"windows-125{n}": f"cp125{n}" for n in range(9)},
    **{f"cp125{n}": f"cp125{n}" for n in range(9)},
}
# Every cXML has one (cXML 1.2 §2.1). It names a DTD that nobody loads, and declares nothing: it may go.
_CXML_DOCTYPE = re.compile(
    rb"\A((?:<\?xml\s[^<>]{0,200}\?>)?\s{0,50})"
    rb"<!DOCTYPE\s{1,9}cXML\s{1,9}SYSTEM\s{1,9}(?:\"[^\"<>\[\]]{0,500}\"|'[^'<>\[\]]{0,500}')\s{0,9}>"
)
_C1 = re.compile(rb"[\x80-\x9f]")
_SPACE = b" \t\r\n"
_STARTS_XML = re.compile(rb"<[?!A-Za-z_:\x80-\xff]")

_TOO_DEEP = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_TOO_MANY_ATTRIBUTES = etree.XPath(f"boolean(//*[count(@*) > {MAX_ATTRIBUTES_PER_ELEMENT}])")


def looks_like_xml(data: bytes) -> bool:
    """Whether the first characters, after a byte order mark and white space, open a tag, in whatever encoding."""
    start = data[:400]
    for bom, _ in _BOMS:
        start = start.removeprefix(bom)
    return _STARTS_XML.match(start.replace(b"\0", b"").lstrip(_SPACE)) is not None


def parse_xml(data: bytes) -> Any:
    """The root element of `data`, comments and processing instructions left out.

    Unreadable with the cause too-large, encoding, doctype, too-deep or malformed-xml; each within two seconds.
    """
    if len(data) > MAX_SIZE:
        raise Unreadable("too-large", f"The XML has {len(data)} bytes; {MAX_SIZE} are the most that we read.")
    text = _CXML_DOCTYPE.sub(rb"\1", _to_utf8(data), count=1)
    _refuse_doctype(text)
    _refuse_masses(text)
    # A new parser each time: a parser that is kept has been fed by strangers. `huge_tree` lets embedded attachments
    # exceed 10 MB; what it opens (amplification by entities) cannot be there without a DOCTYPE.
    parser = etree.XMLParser(
        encoding="utf-8",
        huge_tree=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise _malformed(error) from None
    _refuse_shape(root)
    return root


def _to_utf8(data: bytes) -> bytes:
    bom, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", ""))
    data = data[len(bom) :]
    if not encoding:
        data = data.lstrip(_SPACE)
        encoding = next((name for start, name in _WITHOUT_BOM if data.startswith(start)), None) or _declared(data)
    data = _MISSPELT.sub(rb"\1UTF-8\2", data, count=1)  # the parser looks at the name even where it is told another
    try:
        if encoding == "utf-8":
            data.decode(encoding)
            return data
        return data.decode(encoding).lstrip("\ufeff").encode()
    except (UnicodeError, LookupError):
        raise Unreadable("encoding", f"The XML says that it is {encoding.upper()}, and its bytes are not.") from None


def _declared(data: bytes) -> str:
    match = _DECLARATION.match(data)
    if match is None:
        return "utf-8"
    name = match[1].decode("latin-1")
    encoding = _ENCODINGS.get(name.strip().lower().replace("_", "-")) or _misspelt(name)
    if encoding is None:
        raise Unreadable(
            "encoding", f"The XML declares the encoding {name!r}, which does not exist or is not accepted."
        )
    if encoding == "iso-8859-1" and _C1.search(data):
        return "cp1252"  # where Latin-1 has controls, Windows has quotes and the euro sign; nobody means the controls
    return encoding


def _misspelt(name: str) -> str | None:
    """The encoding that is meant by a name of no registry, as programs write it: `UTF-8_W/O_BOM`, `ISO 8859-1`, `ANSI`.

    A wrong guess cannot get through unseen: UTF-8 is checked byte for byte, and the others are supersets of ASCII.
    """
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain.startswith("utf8"):
        return "utf-8"
    if latin := re.match(r"(?:iso|latin)?8859(1[0-6]|[1-9])(?:19\d\d|20\d\d)?$", plain):
        return _ENCODINGS.get(f"iso-8859-{latin[1]}")
    if code_page := re.match(r"(?:ansi|ms|win|windows|cp|xcp)+(125[0-8])$", plain):
        return f"cp{code_page[1]}"
    return {"ansi": "cp1252", "latin1": "iso-8859-1", "latin9": "iso-8859-15", "isolatin1": "iso-8859-1"}.get(plain)


def _refuse_doctype(text: bytes) -> None:
    """A DOCTYPE may stand in the prolog only, after comments and processing instructions (XML 1.0 §2.8)."""
    at = 0
    while True:
        while text[at : at + 1] in (b" ", b"\t", b"\r", b"\n"):
            at += 1
        opening, closing = (b"<?", b"?>") if text.startswith(b"<?", at) else (b"<!--", b"-->")
        if not text.startswith(opening, at):
            break
        end = text.find(closing, at + len(opening))
        if end < 0:
            return  # never closed: the parser says so
        at = end + len(closing)
    if text[at : at + 9].upper() == b"<!DOCTYPE":
        raise _doctype()


def _doctype() -> Unreadable:
    return Unreadable("doctype", "The XML has a DOCTYPE, which can hide or fetch content; it must come without one.")


def _refuse_masses(text: bytes) -> None:
    """Bounds that can be told without parsing: every start tag has a `<`, every attribute a `=`."""
    if text.count(b"<") - text.count(b"</") > MAX_ELEMENTS:
        raise Unreadable("too-large", f"The XML has more than {MAX_ELEMENTS} elements.")
    if text.count(b'="') + text.count(b"='") > MAX_ATTRIBUTES:
        raise Unreadable("too-large", f"The XML has more than {MAX_ATTRIBUTES} attributes.")


def _refuse_shape(root: Any) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype()
    if _TOO_DEEP(root):
        raise _too_deep()
    if _TOO_MANY_ATTRIBUTES(root):
        raise Unreadable("too-large", f"An XML element has more than {MAX_ATTRIBUTES_PER_ELEMENT} attributes.")


def _too_deep() -> Unreadable:
    return Unreadable("too-deep", f"The XML is nested more than {MAX_DEPTH} levels deep.")


def _malformed(error: etree.XMLSyntaxError) -> Unreadable:
    message = error.msg or "it cannot be parsed"
    if "xcessive depth" in message:
        return _too_deep()
    if error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:  # type: ignore[attr-defined]
        return Unreadable("too-large", "The XML exceeds a limit of the parser.")
    return Unreadable("malformed-xml", f"The XML is broken: {message[:200]}.")
