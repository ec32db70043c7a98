"""Each wrapper on files made by the tools that make them: signatures, containers, batches of one format."""

from __future__ import annotations

import base64
import datetime as dt
import io
import zipfile
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from gateway import formats
from gateway.errors import Unreadable
from gateway.readers import archive, cms, divide, payload, read
from gateway.readers.envelope import NAMESPACES
from tests import invoices
from tests.e2e.documents import invoice

SFTI = "urn:sfti:documents:StandardBusinessDocumentHeader"
OBJECTS = "urn:sfti:documents:ObjectEnvelope:1:0"
ENVELOPE = "http://peppol.eu/xsd/ticc/envelope/1.0"
PDF = b"%PDF-1.4\nnot one\n%%EOF"


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Unreadable) as caught:
        call()
    return caught.value.cause


# --- CMS ---


@pytest.fixture(scope="module")
def sign() -> Callable[..., bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + dt.timedelta(days=9))
    certificate = builder.sign(key, hashes.SHA256())

    def signed(
        data: bytes, encoding: serialization.Encoding = serialization.Encoding.DER, *options: pkcs7.PKCS7Options
    ) -> bytes:
        made = pkcs7.PKCS7SignatureBuilder().set_data(data).add_signer(certificate, key, hashes.SHA256())
        return made.sign(encoding, [pkcs7.PKCS7Options.Binary, *options])

    return signed


def indefinite(content: bytes) -> bytes:
    """CMS in BER as streaming signers write it: lengths left open, the content in pieces."""
    pieces = b"".join(
        b"\x04\x82" + len(piece).to_bytes(2, "big") + piece
        for piece in (content[at : at + 1000] for at in range(0, len(content), 1000))
    )
    end = b"\0\0"
    octets = b"\x24\x80" + pieces + end
    data = bytes.fromhex("06092a864886f70d010701")
    encapsulated = b"\x30\x80" + data + b"\xa0\x80" + octets + end + end
    signed = b"\x30\x80" + b"\x02\x01\x01" + b"\x31\x00" + encapsulated + b"\x31\x00" + end
    return b"\x30\x80" + bytes.fromhex("06092a864886f70d010702") + b"\xa0\x80" + signed + end + end


def lines(data: bytes, ending: bytes = b"\r\n") -> bytes:
    text = base64.b64encode(data)
    return ending.join(text[at : at + 64] for at in range(0, len(text), 64)) + ending


def test_signatures_are_taken_off(sign: Callable[..., bytes]) -> None:
    data = invoice("F-5")
    signed = sign(data)
    for wrapped in (
        signed,
        sign(data, serialization.Encoding.PEM),
        indefinite(data),
        lines(signed),
        b"\xef\xbb\xbf" + lines(indefinite(data), b"\n"),
        base64.b64encode(signed),
    ):
        assert payload("IT01_1.xml.p7m", wrapped) == ("IT01_1.xml", data)
        (document,) = read("IT01_1.xml.p7m", "", (), wrapped)
        assert (document.number, document.wrapped, document.notes[0]) == ("F-5", ("cms",), cms.NOTE)
        assert document.evidence[0].where.startswith("IT01_1.xml:/Invoice/")
        assert divide("IT01_1.xml.p7m", wrapped) == []


def test_signed_twice(sign: Callable[..., bytes]) -> None:
    (document,) = read("a.xml.p7m.p7m", "", (), sign(lines(sign(invoice("F-6")))))
    assert (document.number, document.wrapped, document.notes) == ("F-6", ("cms", "cms"), (cms.NOTE,))


def test_a_signature_alone(sign: Callable[..., bytes]) -> None:
    detached = sign(invoice(), serialization.Encoding.DER, pkcs7.PKCS7Options.DetachedSignature)
    assert refused(lambda: read("a.p7m", "", (), detached)) == "not-a-document"


def test_a_signature_that_is_damaged(sign: Callable[..., bytes]) -> None:
    signed = sign(invoice())
    for at in (60, 100, len(signed) - 1):
        assert refused(lambda at=at: read("a.p7m", "", (), signed[:at])) == "signature-damaged"
    for wrong in (indefinite(invoice())[:-40], b"\x30\x80" * 9 + signed[4:40], b"\x30\x80\x06\x09" + signed[6:15]):
        with pytest.raises(Unreadable):
            read("a.p7m", "", (), wrong)


def test_encrypted_is_said_so(sign: Callable[..., bytes]) -> None:
    enveloped = sign(invoice()).replace(bytes.fromhex("2a864886f70d010702"), bytes.fromhex("2a864886f70d010703"), 1)
    assert refused(lambda: read("a.p7m", "", (), enveloped)) == "encrypted"


def test_text_that_looks_like_base64_is_none() -> None:
    for data in (b"MINUTES of the meeting", b"MIIB", b"-----BEGIN PGP MESSAGE-----\nMIIB\n"):
        assert refused(lambda data=data: read("a", "", (), data)) == "not-a-document"


# --- archives ---


def packed(files: dict[str, bytes], **more: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return made.getvalue()


ASIC = {"mimetype": b"application/vnd.etsi.asic-e+zip", "META-INF/asicmanifest.xml": b"<a/>"}
MANIFEST = b'<manifest xmlns="http://isdoc.cz/namespace/2013/manifest"><maindocument filename="a.isdoc"/></manifest>'


def test_an_asic_container_with_one_document() -> None:
    data = packed({**ASIC, "out/F-7.xml": invoice("F-7"), "plan.pdf": PDF, "seen.png": b"\x89PNG"})
    (document,) = read("a.asice", "", (), data)
    assert (document.number, document.wrapped, document.notes) == ("F-7", ("zip",), (archive.NOTE,))
    (part,) = divide("a.asice", data)
    assert (part.data, part.origin) == (None, "")
    assert [(extra.name, extra.data) for extra in part.extras] == [("plan.pdf", PDF), ("seen.png", b"\x89PNG")]
    assert payload("a.asice", data) == ("F-7.xml", invoice("F-7"))


def test_an_asic_container_with_several_documents() -> None:
    files = {"1.xml": invoice("F-1"), "1.pdf": PDF, "2.xml": invoice("F-2"), "note.txt": b"text"}
    parts = divide("a.sce", packed({"META-INF/signatures.xml": b"<a/>", **files}))
    assert [(part.name, [extra.name for extra in part.extras]) for part in parts] == [
        ("1.xml", ["1.pdf"]),
        ("2.xml", []),
        ("note.txt", []),
    ]
    assert parts[1].data == invoice("F-2")
    assert parts[1].origin == f"document 2 of 3 in a.sce. {archive.NOTE}"


def test_isdocx_names_its_document() -> None:
    data = packed({"manifest.xml": MANIFEST, "a.isdoc": invoice("F-8"), "page.pdf": PDF, "b.xml": b"<b/>"})
    assert payload("a.isdocx", data) == ("a.isdoc", invoice("F-8"))
    (part,) = divide("a.isdocx", data)
    assert [extra.name for extra in part.extras] == ["page.pdf", "b.xml"]
    missing = packed({"manifest.xml": MANIFEST, "b.isdoc": invoice()})
    assert refused(lambda: read("a", "", (), missing)) == "archive-damaged"


def test_a_signed_document_in_a_container_in_a_signature(sign: Callable[..., bytes]) -> None:
    data = sign(packed({**ASIC, "a.xml.p7m": sign(invoice("F-9"))}))
    (document,) = read("all.asice.p7m", "", (), data)
    assert (document.number, document.wrapped) == ("F-9", ("cms", "zip", "cms"))
    assert document.evidence[0].where.startswith("all.asice:a.xml.p7m:a.xml:/Invoice")


def test_other_archives_are_left_alone() -> None:
    for files in ({"a.xml": invoice()}, {"word/document.xml": b"<a/>", "[Content_Types].xml": b"<a/>"}):
        data = packed(files)
        assert divide("a.zip", data) == []
        assert refused(lambda data=data: read("a.zip", "", (), data)) == "not-a-document"
    assert refused(lambda: read("a", "", (), packed(ASIC))) == "not-a-document"


def test_archives_that_unpack_to_more_than_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_TOTAL", 100_000)
    data = packed({**ASIC, "a.xml": b" " * 60_000, "b.xml": b" " * 60_000})
    assert refused(lambda: read("a", "", (), data)) == "too-large"
    many = packed({**ASIC, **{f"{n}.xml": b"<a/>" for n in range(1001)}})
    assert refused(lambda: read("a", "", (), many)) == "too-large"


def test_archives_that_are_damaged() -> None:
    data = packed({**ASIC, "a.xml": invoice()})
    assert refused(lambda: read("a", "", (), data[:-30])) == "archive-damaged"
    locked = bytearray(data)
    at = locked.rfind(b"PK\x01\x02")
    locked[at + 8] |= 1
    assert refused(lambda: read("a", "", (), bytes(locked))) == "encrypted"
    broken = data.replace(b"a.xml", b"b.xml", 1)
    assert refused(lambda: read("a", "", (), broken)) == "archive-damaged"


# --- SFTI ObjectEnvelope ---


def encoded(number: str, name: str, data: bytes) -> str:
    return (
        f'<o:ObjectEnvelope xmlns:o="{OBJECTS}"><o:DocumentReference><o:DocumentID>{number}</o:DocumentID>'
        f'</o:DocumentReference><o:EncodedObject><o:EncodedData filename="{name}" mimeCode="application/pdf">'
        f"{base64.b64encode(data).decode()}</o:EncodedData></o:EncodedObject></o:ObjectEnvelope>"
    )


def bare(number: str) -> str:
    return invoice(number).decode().partition("?>")[2].strip()


def test_objects_belong_to_the_invoice_beside_them() -> None:
    inside = bare("F-1") + encoded("anything", "C:\\tmp\\photo.pdf", PDF)
    data = f'<StandardBusinessDocument xmlns="{SFTI}">{inside}</StandardBusinessDocument>'.encode()
    (document,) = read("a.xml", "", (), data)
    assert document.number == "F-1"
    (part,) = divide("a.xml", data)
    assert (part.data, [(extra.name, extra.data) for extra in part.extras]) == (None, [("photo.pdf", PDF)])


def test_objects_belong_to_the_invoice_that_they_name() -> None:
    inside = bare("F-1") + bare("F-2") + encoded("F-2", "two.pdf", PDF) + encoded("F-3", "three.pdf", PDF)
    data = f'<StandardBusinessDocument xmlns="{SFTI}">{inside}</StandardBusinessDocument>'.encode()
    assert [(part.name, [extra.name for extra in part.extras]) for part in divide("a.xml", data)] == [
        ("a-1.xml", []),
        ("a-2.xml", ["two.pdf"]),
        ("three.pdf", []),
    ]


def test_an_object_envelope_alone() -> None:
    assert payload("a.xml", encoded("F-4", "F-4.xml", invoice("F-4")).encode()) == ("F-4.xml", invoice("F-4"))
    both = encoded("F-4", "page.pdf", PDF).replace("</o:ObjectEnvelope>", bare("F-5") + "</o:ObjectEnvelope>")
    (document,) = read("a.xml", "", (), both.encode())
    assert (document.number, document.wrapped) == ("F-5", ("objectenvelope",))
    assert refused(lambda: read("", "", (), f'<ObjectEnvelope xmlns="{OBJECTS}"/>'.encode())) == "not-a-document"
    broken = encoded("F-4", "a.pdf", PDF).replace("</o:EncodedData>", "!</o:EncodedData>")
    assert refused(lambda: read("", "", (), broken.encode())) == "not-a-document"


# --- batches of one format ---


def test_fatturapa_with_several_bodies() -> None:
    space = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2"
    bodies = "".join(f"<FatturaElettronicaBody><Numero>{n}</Numero></FatturaElettronicaBody>" for n in (41, 42))
    signature = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature>'
    data = (
        f'<p:FatturaElettronica versione="FPR12" xmlns:p="{space}">'
        f"<FatturaElettronicaHeader>H</FatturaElettronicaHeader>{bodies}{signature}</p:FatturaElettronica>"
    )
    parts = divide("a.xml", data.encode())
    assert [part.name for part in parts] == ["a-1.xml", "a-2.xml"]
    assert parts[1].data is not None
    assert b"<Numero>42</Numero>" in parts[1].data
    assert b"41" not in parts[1].data
    assert b"Signature" not in parts[1].data
    assert b'versione="FPR12"' in parts[1].data
    assert b"<FatturaElettronicaHeader>H</FatturaElettronicaHeader>" in parts[1].data
    assert parts[1].origin.endswith("The signature covers the whole file and is not in this part.")
    one = data.replace("<FatturaElettronicaBody><Numero>41</Numero></FatturaElettronicaBody>", "")
    assert divide("a.xml", one.encode()) == []


def test_facturae_batches() -> None:
    def single(number: str, total: str) -> str:
        return (
            f"<Invoice><InvoiceHeader><InvoiceNumber>{number}</InvoiceNumber></InvoiceHeader><InvoiceTotals>"
            f"<InvoiceTotal>{total}</InvoiceTotal><TotalOutstandingAmount>{total}</TotalOutstandingAmount>"
            f"<TotalExecutableAmount>{total}</TotalExecutableAmount></InvoiceTotals></Invoice>"
        )

    amounts = "".join(
        f"<{name}><TotalAmount>30.00</TotalAmount></{name}>"
        for name in ("TotalInvoicesAmount", "TotalOutstandingAmount", "TotalExecutableAmount")
    )
    data = (
        '<fe:Facturae xmlns:fe="http://www.facturae.gob.es/formato/Versiones/Facturaev3_2_2.xml"><FileHeader>'
        f"<Modality>L</Modality><Batch><InvoicesCount>2</InvoicesCount>{amounts}</Batch></FileHeader><Parties/>"
        f"<Invoices>{single('A1', '10.00')}{single('A2', '20.00')}</Invoices></fe:Facturae>"
    )
    first, second = divide("b.xml", data.encode())
    assert second.data is not None
    text = second.data.decode()
    assert "A1" not in text
    assert "10.00" not in text
    assert "30.00" not in text
    assert "<Modality>I</Modality><Batch><InvoicesCount>1</InvoicesCount>" in text
    assert text.count("20.00") == 6
    assert first.data is not None
    assert b"A2" not in first.data


def test_idocs() -> None:
    def idoc(number: str) -> str:
        return f"<IDOC BEGIN='1'><EDI_DC40><DOCNUM>{number}</DOCNUM></EDI_DC40></IDOC>"

    first, _ = divide("a.xml", f"<INVOIC02>{idoc('1')}{idoc('2')}</INVOIC02>".encode())
    assert first.data is not None
    assert b"<DOCNUM>1</DOCNUM>" in first.data
    assert b"<DOCNUM>2</DOCNUM>" not in first.data
    assert divide("a.xml", f"<INVOIC02>{idoc('1')}</INVOIC02>".encode()) == []
    flat = b"EDI_DC40  1\r\nE2EDK01 EDI_DC40\r\nEDI_DC40  2\r\nE2EDK01\r\n"
    assert [part.data for part in divide("a.txt", flat)] == [flat[:31], flat[31:]]


EDI = (
    "UNA:+.? '\r\nUNB+UNOC:3+S+R+260302:1200+REF'\r\nUNH+1+INVOIC:D:96A:UN'\r\nBGM+380+F?'1'\r\nUNT+3+1'\r\n"
    "UNH+2+INVOIC:D:96A:UN'\r\nBGM+380+F2??'\r\nUNT+3+2'\r\nUNZ+2+REF'\r\n"
)


def test_edifact_interchanges() -> None:
    first, second = divide("a.edi", EDI.encode())
    assert (
        first.data == b"UNA:+.? 'UNB+UNOC:3+S+R+260302:1200+REF'UNH+1+INVOIC:D:96A:UN'BGM+380+F?'1'UNT+3+1'UNZ+1+REF'"
    )
    assert (
        second.data == b"UNA:+.? 'UNB+UNOC:3+S+R+260302:1200+REF'UNH+2+INVOIC:D:96A:UN'BGM+380+F2??'UNT+3+2'UNZ+1+REF'"
    )
    for each in (first, second):
        assert divide("a.edi", each.data or b"") == []


@pytest.mark.parametrize(
    ("right", "wrong"), [("UNZ+2", "UNZ+3"), ("UNZ+2", "UNZ+1"), ("UNZ+2+REF'\r\n", ""), ("UNZ+2+REF'", "UNZ'")]
)
def test_an_interchange_that_lost_a_message_is_held(right: str, wrong: str) -> None:
    data = EDI.replace(right, wrong).encode()
    assert refused(lambda: divide("a.edi", data)) == "malformed-edifact"
    assert refused(lambda: read("a.edi", "", (), data)) == "malformed-edifact"


def test_edifact_groups() -> None:
    data = (
        "UNB+UNOC:3+S+R+x+REF'UNG+INVOIC+a'UNH+1'UNT+2+1'UNH+2'UNT+2+2'UNE+2+G1'"
        "UNG+ORDERS+b'UNH+3'UNT+2+3'UNE+1+G2'UNZ+2+REF'"
    )
    assert [part.data for part in divide("a.edi", data.encode())] == [
        b"UNB+UNOC:3+S+R+x+REF'UNG+INVOIC+a'UNH+1'UNT+2+1'UNE+1+G1'UNZ+1+REF'",
        b"UNB+UNOC:3+S+R+x+REF'UNG+INVOIC+a'UNH+2'UNT+2+2'UNE+1+G1'UNZ+1+REF'",
        b"UNB+UNOC:3+S+R+x+REF'UNG+ORDERS+b'UNH+3'UNT+2+3'UNE+1+G2'UNZ+1+REF'",
    ]


def test_an_invoice_inside_a_pdf_is_found_in_every_container() -> None:
    """The PDF's attachment is opened last, whatever is around it."""
    options = formats.Options(language="en", now=invoices.NOW)
    hybrid = formats.convert(invoices.read(invoices.invoice()), invoices.SOURCE, "facturx", options).content
    content = f'<b:BinaryContent xmlns:b="{ENVELOPE}" mimeType="application/pdf">{base64.b64encode(hybrid).decode()}'
    envelope = (
        f'<StandardBusinessDocument xmlns="{NAMESPACES[0]}">{content}</b:BinaryContent></StandardBusinessDocument>'
    )
    container = packed({**ASIC, "F-1042.pdf": hybrid})
    signed = packed({**ASIC, "e.xml": envelope.encode()})
    for data, wrapped in ((envelope.encode(), ("sbdh",)), (container, ("zip",)), (signed, ("zip", "sbdh"))):
        (document,) = read("a", "", (), data)
        assert (document.format, document.number, document.wrapped) == ("facturx", "F-1042", wrapped)
        assert document.invoice is not None
