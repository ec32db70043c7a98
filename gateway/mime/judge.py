"""Which leaves of a mail are documents, what the others are, and which belong together."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from gateway import mimeheader
from gateway.mime import tree
from gateway.mime.values import Fault, Leaf

# Parts that accompany a mail and are no documents of it, and what people call them.
_NEVER = {
    "application/ics": "a calendar entry",
    "application/pgp-keys": "a key",
    "application/pgp-signature": "a signature",
    "application/pkcs7-signature": "a signature",
    "application/x-pkcs7-signature": "a signature",
    "message/delivery-status": "a report on a delivery",
    "message/disposition-notification": "a receipt",
    "message/external-body": "a file that is elsewhere",
    "message/feedback-report": "a complaint",
    "text/calendar": "a calendar entry",
    "text/directory": "a visiting card",
    "text/rfc822-headers": "a header of another mail",
    "text/vcard": "a visiting card",
    "text/x-amp-html": "text of the mail",
    "text/x-vcard": "a visiting card",
}
# The same by the ends of their names, where the type says nothing.
_NEVER_NAMED = {".p7s": "a signature", ".sig": "a signature", ".vcf": "a visiting card", ".ics": "a calendar entry"}
_SIGNED = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
_OUTLOOK_TEXT = re.compile(r"ATT\d+\.(?:txt|html?)", re.IGNORECASE)  # what Exchange makes of text after an attachment
_PDF = re.compile(rb"\s*%PDF-")
_XML = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*\0?<\0?[?!A-Za-z_]")
_EDI = re.compile(rb"\s*(?:UNA.{6}\s*)?UNB[^A-Za-z0-9]|(?:\xef\xbb\xbf)?EDI_DC40", re.DOTALL)  # EDIFACT, flat IDoc
_PGP = re.compile(rb"\s*-----BEGIN PGP MESSAGE-----")
_EXTENSIONS = {"application/pdf": "pdf", "application/xml": "xml", "text/xml": "xml"}
_ADDED = re.compile(r"(.+?)[_ -](?:attachment|anlage|annexe|bilaga)[_ -]?\w{0,20}")


def look_at(leaf: Leaf, number: int) -> None:
    """Decode the leaf, which is number `number` of its mail, name it, and decide whether it is a document."""
    disposition, parameters = leaf.headers.parameters("content-disposition")
    _, type_parameters = leaf.headers.parameters("content-type")
    said = mimeheader.file_name(parameters.get("filename") or type_parameters.get("name") or "")
    leaf.data = tree.decode(leaf)
    leaf.left_out = "part of a report" if leaf.in_report else _left_out(leaf, disposition, said)
    leaf.is_document = not leaf.left_out
    leaf.name = said or f"part-{number}.{_extension(leaf)}"
    leaf.where = f"part {number}"
    if leaf.is_document:
        leaf.fault = _fault(leaf)


TEXT = "text of the mail"  # `left_out` of what is no file at all
EMPTY = "empty"


def _left_out(leaf: Leaf, disposition: str, name: str) -> str:
    """What the leaf is instead of a document; empty when it is one."""
    media_type = leaf.media_type
    if media_type in _NEVER:
        return _NEVER[media_type]
    if not name and not leaf.data.strip():
        return EMPTY
    if media_type.startswith("image/") and (disposition == "inline" or leaf.headers.first("content-id")):
        return "a picture in the text"
    if media_type in ("text/plain", "text/html"):
        return "" if _is_attached_text(leaf, disposition, name) else TEXT
    return named(name)


def named(name: str) -> str:
    """What a file of this name is instead of a document, where only the name can tell; empty when it may be one."""
    return _NEVER_NAMED.get(PurePosixPath(name.lower()).suffix, "")


def _is_attached_text(leaf: Leaf, disposition: str, name: str) -> bool:
    if disposition == "attachment":
        return not _OUTLOOK_TEXT.fullmatch(name)
    return bool(name) and (
        _PDF.match(leaf.data) is not None
        or _EDI.match(leaf.data) is not None
        or name.lower().endswith((".xml", ".pdf"))
    )


def _fault(leaf: Leaf) -> Fault | None:
    if leaf.media_type in _SIGNED and leaf.name.lower() in ("smime.p7m", f"{leaf.where.replace(' ', '-')}.bin"):
        sentence = (
            "The mail's parts are inside its S/MIME signature; ask the sender to sign beside them, or not at all."
        )
        return Fault(cause="signed", sentence=sentence)
    if _PGP.match(leaf.data):
        return Fault(cause="encrypted", sentence=f"{leaf.name} is encrypted with PGP, and we have no key for it.")
    return None


def _extension(leaf: Leaf) -> str:
    if _PDF.match(leaf.data):
        return "pdf"
    if _XML.match(leaf.data) and leaf.media_type != "text/html":
        return "xml"
    if _EDI.match(leaf.data):
        return "edi"
    return _EXTENSIONS.get(leaf.media_type, "bin")


def belonging(leaves: list[Leaf]) -> list[int | None]:
    """For each leaf the index of the one that it belongs to: `F1.pdf` and `F1_attachment2.png` to `F1.xml`.

    The structured one is the document, else the PDF, else the first. A name that comes twice groups nothing.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for index, leaf in enumerate(leaves):
        if leaf.is_document and leaf.fault is None:
            groups.setdefault((leaf.folder, PurePosixPath(leaf.name).stem.casefold()), []).append(index)
    found: list[int | None] = [None] * len(leaves)
    mains: dict[tuple[str, str], int] = {}
    for key, members in groups.items():
        extensions = [_extension(leaves[index]) for index in members]
        if extensions.count("xml") + extensions.count("edi") > 1 or extensions.count("pdf") > 1:
            continue
        if len({leaves[index].name.casefold() for index in members}) < len(members):
            continue
        wanted = next((kind for kind in ("xml", "edi", "pdf") if kind in extensions), extensions[0])
        main = mains[key] = members[extensions.index(wanted)]
        for index in members:
            found[index] = None if index == main else main
    _add(groups, mains, found)
    return found


def _add(groups: dict[tuple[str, str], list[int]], mains: dict[tuple[str, str], int], found: list[int | None]) -> None:
    """`F1_attachment2` belongs to `F1`, when that is there, with all that belongs to it."""
    for (folder, stem), members in groups.items():
        named = _ADDED.fullmatch(stem)
        main = mains.get((folder, named[1])) if named else None
        if main is not None and main not in members:
            for index in members:
                found[index] = main
