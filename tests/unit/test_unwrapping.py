"""The loop that opens wrappers: what is inside, one or several, and the limits."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from gateway.errors import Unreadable
from gateway.model import ReadDocument
from gateway.readers import divide, limits, payload, read
from gateway.readers.signs import may_hold_several
from tests.e2e.documents import invoice

SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
SFTI = "urn:sfti:documents:StandardBusinessDocumentHeader"
SOAP = (
    "<?xml version='1.0' encoding='UTF-8'?><S:Envelope xmlns:S='http://schemas.xmlsoap.org/soap/envelope/'"
    " xmlns:eb='http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd'><S:Header><eb:MessageHeader>"
    "<eb:From><eb:PartyId>FI-SENDER</eb:PartyId></eb:From><eb:To><eb:PartyId>{to}</eb:PartyId></eb:To>"
    "</eb:MessageHeader></S:Header><S:Body><eb:Manifest eb:id='1'/></S:Body></S:Envelope>"
)


def bare(number: str) -> str:
    """An invoice without its XML declaration."""
    return invoice(number).decode().partition("?>")[2].strip()


def enveloped(*payloads: str, space: str = SBDH, header: str = "") -> bytes:
    return f'<StandardBusinessDocument xmlns="{space}">{header}{"".join(payloads)}</StandardBusinessDocument>'.encode()


def header(receiver: str) -> str:
    return (
        "<StandardBusinessDocumentHeader><Receiver><Identifier>"
        f"{receiver}</Identifier></Receiver></StandardBusinessDocumentHeader>"
    )


def numbers(data: bytes, name: str = "batch.xml") -> list[str | None]:
    return [document.number for document in read(name, "", (), data)]


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Unreadable) as caught:
        call()
    return caught.value.cause


def test_one_document_is_not_divided() -> None:
    for data in (invoice(), enveloped(bare("F-1")), enveloped(enveloped(bare("F-1"), space=SFTI).decode())):
        assert divide("a.xml", data) == []
        assert len(read("a.xml", "", (), data)) == 1


def test_an_envelope_with_three_documents_gives_three_files() -> None:
    data = enveloped(bare("F-1"), bare("F-2"), bare("F-3"), header=header("0088:1234567890128"))
    assert numbers(data) == ["F-1", "F-2", "F-3"]
    parts = divide("batch.xml", data)
    assert [part.name for part in parts] == ["batch-1.xml", "batch-2.xml", "batch-3.xml"]
    assert [part.origin for part in parts] == [f"document {n} of 3 in batch.xml" for n in (1, 2, 3)]
    assert {found.value for part in parts for found in part.evidence} == {"0088:1234567890128"}
    for number, part in enumerate(parts, 1):
        (document,) = read(part.name, "", (), part.data or b"")
        assert (document.number, document.wrapped) == (f"F-{number}", ())
        assert all(f"F-{other}".encode() not in (part.data or b"") for other in {1, 2, 3} - {number})


def test_a_part_is_the_same_document() -> None:
    data = enveloped(bare("F-1"), bare("F-2"))
    (alone,) = read("", "", (), invoice("F-2"))
    (inside,) = read("", "", (), divide("b.xml", data)[1].data or b"")
    assert inside == alone


def test_envelopes_inside_envelopes_keep_the_order() -> None:
    inner = enveloped(bare("F-2"), bare("F-3"), space=SFTI, header=header("inner")).decode()
    data = enveloped(bare("F-1"), inner, bare("F-4"), header=header("outer"))
    assert numbers(data) == ["F-1", "F-2", "F-3", "F-4"]
    parts = divide("batch.xml", data)
    assert [[found.value for found in part.evidence] for part in parts] == [
        ["outer"],
        ["outer", "inner"],
        ["outer", "inner"],
        ["outer"],
    ]
    assert [document.wrapped for document in read("", "", (), data)] == [
        ("sbdh",),
        ("sbdh", "sbdh"),
        ("sbdh", "sbdh"),
        ("sbdh",),
    ]


def test_binary_content_of_an_envelope_is_a_file() -> None:
    inside = base64.b64encode(invoice("F-9")).decode()
    content = f"<BinaryContent xmlns='http://peppol.eu/xsd/ticc/envelope/1.0' mimeType='application/xml'>{inside}"
    data = enveloped(f"{content}</BinaryContent>")
    assert numbers(data) == ["F-9"]
    assert payload("a.xml", data) == ("a.xml", invoice("F-9"))
    broken = enveloped(f"{content}!</BinaryContent>")
    assert refused(lambda: read("", "", (), broken)) == "not-a-document"


def test_files_end_to_end() -> None:
    data = invoice("F-1") + b"\r\n\xef\xbb\xbf" + invoice("F-2")
    assert numbers(data) == ["F-1", "F-2"]
    assert [part.data for part in divide("b.xml", data)] == [invoice("F-1").strip(), invoice("F-2").strip()]


def test_soap_frames_are_evidence_and_no_documents() -> None:
    data = b"\n".join(
        [SOAP.format(to="FI-A").encode(), invoice("F-1"), SOAP.format(to="FI-B").encode(), invoice("F-2")]
    )
    parts = divide("b.xml", data)
    assert [[found.value for found in part.evidence] for part in parts] == [
        ["FI-A", "FI-SENDER"],
        ["FI-B", "FI-SENDER"],
    ]
    one = SOAP.format(to="FI-A").encode() + invoice("F-1")
    (document,) = read("b.xml", "", (), one)
    assert (document.number, document.wrapped) == ("F-1", ("concatenated",))
    assert ("envelope_receiver", "FI-A") in {(found.field, found.value) for found in document.evidence}
    assert divide("b.xml", one) == []
    assert payload("b.xml", one) == ("b.xml", invoice("F-1").strip())
    frame = SOAP.format(to="FI-A").encode()
    assert refused(lambda: read("", "", (), frame)) == "not-a-document"
    assert refused(lambda: read("", "", (), frame * 2)) == "not-a-document"


def test_a_soap_body_holds_documents() -> None:
    data = SOAP.format(to="FI-A").replace("<eb:Manifest eb:id='1'/>", bare("F-1") + bare("F-2")).encode()
    assert numbers(data) == ["F-1", "F-2"]
    assert [len(part.evidence) for part in divide("b.xml", data)] == [2, 2]


def test_a_declaration_inside_a_text_does_not_divide() -> None:
    data = invoice("F-1").replace(
        b"</Invoice>", b"<cbc:Note><![CDATA[<?xml version='1.0'?><a/>]]></cbc:Note></Invoice>"
    )
    assert may_hold_several(data)
    assert divide("a.xml", data) == []


def test_one_that_cannot_be_read_does_not_stop_the_others() -> None:
    data = invoice("F-1") + invoice("F-2")[:-20] + invoice("F-3")
    first, second, third = read("b.xml", "", (), data)
    assert (first.number, third.number) == ("F-1", "F-3")
    assert second == ReadDocument(format="other", wrapped=("concatenated",), notes=second.notes)
    assert second.notes[0].startswith("Cannot be read: The XML is broken")
    parts = divide("b.xml", data)
    assert refused(lambda: read("", "", (), parts[1].data or b"")) == "malformed-xml"


def test_limits() -> None:
    many = enveloped(*["<a xmlns=''/>"] * (limits.MAX_DOCUMENTS + 1))
    assert refused(lambda: divide("a.xml", many)) == "too-large"
    assert refused(lambda: read("a.xml", "", (), many)) == "too-large"
    assert len(divide("a.xml", enveloped(*["<a xmlns=''/>"] * limits.MAX_DOCUMENTS))) == limits.MAX_DOCUMENTS
    deep = b"<a/>"
    for _ in range(limits.MAX_NESTED + 1):
        deep = enveloped(deep.decode())
    assert refused(lambda: divide("a.xml", deep)) == "too-deep"
    assert refused(lambda: read("a.xml", "", (), b"<?xml version='1.0'?><a/>" * 2_100)) == "too-large"


def test_what_is_unpacked_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.readers import unwrapping

    monkeypatch.setattr(unwrapping, "MAX_TOTAL", 9_000)
    assert len(divide("a.xml", invoice("F-1") + invoice("F-2"))) == 2
    assert refused(lambda: divide("a.xml", invoice("F-1") * 5)) == "too-large"


@pytest.mark.parametrize(
    ("data", "several"),
    [
        (invoice(), False),
        (b"%PDF-1.7\n<?xml <?xml StandardBusinessDocument", False),
        (invoice() * 2, True),
        (enveloped(bare("F-1")), True),
        (enveloped(bare("F-1")).decode().encode("utf-16"), True),
        (b"PK\x03\x04", True),
        (b"\xef\xbb\xbfMIIB", True),
        (b"EDI_DC40 1\nEDI_DC40 2\n", True),
        (b"UNB+UNOC:3'UNH+1'UNT'UNH+2'UNT'UNZ'", True),
        (b"\x89PNG <?xml <?xml", False),
        (b"<a>" + b" " * 4_000_001, True),
    ],
)
def test_signs(data: bytes, several: bool) -> None:
    assert may_hold_several(data) is several
