"""Files of others that came wrapped: what is inside, read from the corpus beside the checkout."""

from __future__ import annotations

import pytest

from gateway.errors import Unreadable
from gateway.readers import divide, payload, read
from tests.test_corpus import CORPUS, EXPECTED

FATTURAPA = CORPUS / "fatturapa"

pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason=f"the corpus of sample files is not at {CORPUS}")


def test_a_signed_file_is_the_same_in_binary_and_as_text() -> None:
    folder = FATTURAPA / "Test/Samples"
    signed = payload("IT.xml.p7m", (folder / "IT02182030391_31.xml.p7m").read_bytes())
    assert payload("IT.xml.p7m", (folder / "IT02182030391_31.Base64.CRLF.xml.p7m").read_bytes()) == signed
    name, inside = signed
    assert name == "IT.xml"
    assert inside.startswith(b"\xef\xbb\xbf<?xml")
    assert inside.rstrip().endswith(b"FatturaElettronica>")
    _, text = payload("test.txt.p7m", (FATTURAPA / "tests/data/test.txt.p7m").read_bytes())
    assert text.decode() == "This is only a test payload.\n\nQuesto è solo un payload di test.\n"


def test_a_signed_file_that_somebody_changed_inside_its_structure() -> None:
    with pytest.raises(Unreadable) as caught:
        read("a.p7m", "", (), (FATTURAPA / "Test/Samples/IT02182030391_31_tampered.xml.p7m").read_bytes())
    assert caught.value.cause == "signature-damaged"


def test_two_invoices_in_one_file_of_windows_1252() -> None:
    data = (FATTURAPA / "Test/Samples/IT02182030391_32.windows-1252.xml").read_bytes()
    first, second = divide("batch.xml", data)
    assert first.data is not None
    assert second.data is not None
    assert first.data != second.data
    for part in (first, second):
        assert part.data is not None
        assert part.data.count(b"<FatturaElettronicaBody>") == 1
        assert part.data.count(b"<FatturaElettronicaHeader>") == 1
