"""Whether a dropped file is whole, by the end mark of its format. Pure: the first and last bytes in, a verdict out."""

from __future__ import annotations

import re

HEAD, TAIL = 4096, 2048  # bytes looked at
_BOM = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_ROOT = re.compile(rb"<(?![?!])([^\s<>/]+)([^<>]*)")
_PROLOG = re.compile(rb"<\?.*?\?>|<!--.*?-->", re.DOTALL)
_EPILOG = re.compile(rb"(?:\s|<\?[^<>]*\?>|<!--(?:(?!-->).)*-->)*\Z", re.DOTALL)

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".xml": "application/xml",
    ".json": "application/json",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
}


def media_type(extension: str, head: bytes) -> str:
    """The media type of a file by its first bytes, else by its extension (`.pdf`)."""
    if b"%PDF-" in head[:1024]:
        return MEDIA_TYPES[".pdf"]
    if _is_xml(head):
        return MEDIA_TYPES[".xml"]
    return MEDIA_TYPES.get(extension, "application/octet-stream")


def missing_end(extension: str, head: bytes, tail: bytes) -> str | None:
    """What the file's end lacks, as the end of a sentence; None when it is whole or its format has no end mark.

    `head` are the first `HEAD` bytes, `tail` the last `TAIL`.
    """
    if extension == ".pdf" or b"%PDF-" in head[:1024]:
        # ISO 32000-1 annex H.3 note 18: readers accept %%EOF anywhere in the last 1,024 bytes.
        return None if b"%%EOF" in tail[-1024:] else "a PDF without its end mark %%EOF"
    if extension == ".json":
        return None if tail.rstrip().endswith((b"}", b"]")) else "JSON without its closing bracket"
    if extension == ".xml" or _is_xml(head):
        return None if _ends_root(head, tail) else "XML without the end of its root element"
    return None


def _is_xml(head: bytes) -> bool:
    for mark in _BOM:
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"").lstrip().startswith((b"<?xml", b"<!--", b"<!DOCTYPE")) or bool(
        re.match(rb"<[A-Za-z_]", head.replace(b"\0", b"").lstrip())
    )


def _ends_root(head: bytes, tail: bytes) -> bool:
    # UTF-16 has a NUL beside each ASCII character; without them its tags read like those of UTF-8.
    head, tail = head.replace(b"\0", b""), tail.replace(b"\0", b"").rstrip(b"\x1a")
    root = _ROOT.search(_PROLOG.sub(b"", head))
    if root is None:
        return tail.rstrip().endswith(b">")
    name = re.escape(root[1])
    if root[2].endswith(b"/") and re.search(rb"<" + name + rb"[^<>]*/>", tail):
        return True
    *_, last = (None, *re.finditer(rb"</" + name + rb"\s*>", tail))
    return last is not None and bool(_EPILOG.match(tail, last.end()))
