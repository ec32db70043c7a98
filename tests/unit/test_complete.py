"""The end marks of the formats."""

from __future__ import annotations

import pytest

from gateway.intake.complete import HEAD, TAIL, media_type, missing_end


def ends(extension: str, data: bytes) -> bool:
    return missing_end(extension, data[:HEAD], data[-TAIL:]) is None


@pytest.mark.parametrize(
    ("extension", "data", "whole"),
    [
        (".pdf", b"%PDF-1.4\nx\n%%EOF", True),
        (".pdf", b"%PDF-1.4\nx\n%%EOF\r\n" + b"\0" * 900, True),
        (".pdf", b"%PDF-1.4\nx\n%%EOF" + b"\0" * 1100, False),
        (".pdf", b"%PDF-1.4\n" + b"x" * 5000, False),
        (".dat", b"%PDF-1.4\nx", False),  # by its first bytes, whatever its name
        (".xml", b"<a><b/></a>", True),
        (".xml", b"<a><b/>", False),
        (".xml", b"<a><b></b>", False),
        (".xml", b"<a/>", True),
        (".xml", b"<a x='1'", False),
        (".xml", b"<a>x</a", False),
        (
            ".xml",
            b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <q> -->\n<x:a xmlns:x='u'>" + b"y" * 9000 + b"</x:a >\n",
            True,
        ),
        (".xml", b"<a></a>\n<!-- the end -->\n<?done?>\n\x1a", True),
        (".xml", b"<a><a></a>x", False),
        (".xml", "<?xml version='1.0' encoding='utf-16'?><a>ä</a>".encode("utf-16"), True),
        (".xml", "<?xml version='1.0' encoding='utf-16'?><a>ä".encode("utf-16"), False),
        (".xml", b"no xml at all", False),
        (".txt", b"<?xml version='1.0'?><a>", False),
        (".json", b'{"a": 1}\n', True),
        (".json", b'{"a": 1', False),
        (".csv", b"a;b\n1", True),
        (".txt", b"anything", True),
    ],
)
def test_end_marks(extension: str, data: bytes, whole: bool) -> None:
    assert ends(extension, data) is whole


@pytest.mark.parametrize(
    ("extension", "head", "found"),
    [
        (".pdf", b"%PDF-1.7", "application/pdf"),
        (".xml", b"\x00\x01%PDF-1.7", "application/pdf"),
        (".dat", b"\xef\xbb\xbf  <?xml version='1.0'?>", "application/xml"),
        (".dat", b"<Invoice>", "application/xml"),
        (".xml", b"broken", "application/xml"),
        (".csv", b"a;b", "text/csv"),
        ("", b"a;b", "application/octet-stream"),
    ],
)
def test_media_types(extension: str, head: bytes, found: str) -> None:
    assert media_type(extension, head) == found
