"""Builds each hostile file of `cases.toml`: code instead of large binaries.

python tests/hostile/make.py DIR        writes all of them into DIR
"""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
INVOICE = (
    f'<Invoice xmlns="{UBL}Invoice-2" xmlns:cbc="{UBL}CommonBasicComponents-2">'
    "<cbc:ID>F-1</cbc:ID><cbc:IssueDate>2026-01-02</cbc:IssueDate></Invoice>"
)
SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(range(256)) * 8


# --- XML ---


def xml_doctype() -> bytes:
    return b"<?xml version='1.0'?>\n<!DOCTYPE Invoice [<!ENTITY number 'F-1'>]>\n" + INVOICE.encode()


def xml_doctype_after_comments() -> bytes:
    return b"<?xml version='1.0'?><!-- <a> --><?p q?>\n\n<!-- b --><!DOCTYPE Invoice>" + INVOICE.encode()


def xml_doctype_utf16() -> bytes:
    return ("<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE Invoice [<!ENTITY a 'b'>]>" + INVOICE).encode("utf-16")


def xml_doctype_utf16_without_mark() -> bytes:
    return ("<!DOCTYPE Invoice SYSTEM 'http://192.0.2.1/a.dtd'>" + INVOICE).encode("utf-16-be")


def xml_doctype_utf32() -> bytes:
    return ("<!DOCTYPE Invoice>" + INVOICE).encode("utf-32")


def xml_doctype_lower_case() -> bytes:
    return b"<!doctype Invoice>" + INVOICE.encode()


def xml_external_entity() -> bytes:
    return b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


def xml_entity_bomb() -> bytes:
    entities = '<!ENTITY e0 "lol">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f"<!DOCTYPE a [{entities}]><a>&e11;</a>".encode()


def xml_undeclared_entity() -> bytes:
    return INVOICE.replace("F-1", "F&nbsp;1").encode()


def xml_100000_levels() -> bytes:
    return b"<a>" * 100_000 + b"</a>" * 100_000


def xml_101_levels() -> bytes:
    return b"<a>" * 101 + b"</a>" * 101


def xml_300000_attributes() -> bytes:
    return b"<a " + b" ".join(b'a%d="1"' % number for number in range(300_000)) + b"/>"


def xml_600000_attributes() -> bytes:
    return b"<r>" + b"<a b='1' c='1' d='1'/>" * 200_000 + b"</r>"


def xml_300000_namespaces() -> bytes:
    return b"<a " + b" ".join(b'xmlns:a%d="urn:%d"' % (number, number) for number in range(300_000)) + b"/>"


def xml_2000000_elements() -> bytes:
    return b"<a>" + b"<b/>" * 2_000_000 + b"</a>"


def xml_2000000_comments() -> bytes:
    return b"<a>" + b"<!---->" * 2_000_000 + b"</a>"


def xml_3000000_references() -> bytes:
    return b"<a>" + b"&#65;" * 3_000_000 + b"</a>"


def xml_long_name() -> bytes:
    return b"<" + b"a" * 15_000_000 + b"/>"


def xml_long_text() -> bytes:
    return b"<a>" + b"x" * 15_000_000 + b"</a>"


def xml_20_megabytes() -> bytes:
    return b"<a>" + b"x" * 20_000_000 + b"</a>"


def xml_cut_off() -> bytes:
    return INVOICE.encode()[:-20]


def xml_cut_off_in_declaration() -> bytes:
    return b"<?xml version='1.0' enc"


def xml_two_roots() -> bytes:
    return INVOICE.encode() * 2


def xml_mismatched_tags() -> bytes:
    return INVOICE.replace("</cbc:ID>", "</cbc:Id>").encode()


def xml_control_character() -> bytes:
    return INVOICE.replace("F-1", "F\x01").encode()


def xml_wrong_encoding() -> bytes:
    return b"<?xml version='1.0' encoding='UTF-8'?>" + INVOICE.replace("F-1", "F-\xe9").encode("latin-1")


def xml_encoding_that_does_not_exist() -> bytes:
    return b'<?xml version="1.0" encoding="rot13"?>' + INVOICE.encode()


def xml_utf7() -> bytes:
    return b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE a+AD4-" + INVOICE.encode()


def xml_ebcdic() -> bytes:
    return f"<?xml version='1.0' encoding='IBM037'?>{INVOICE}".encode("cp037")


def xml_utf16_cut_in_a_character() -> bytes:
    return INVOICE.encode("utf-16")[:-1]


def xml_unknown_root() -> bytes:
    return b"<order xmlns='urn:example:shop'><number>1</number></order>"


def xml_unknown_ubl_root() -> bytes:
    return INVOICE.replace("Invoice", "Waybill").encode()


def xml_xinclude() -> bytes:
    return b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></a>'


def sbd(*content: str) -> bytes:
    header = "<StandardBusinessDocumentHeader><HeaderVersion>1.0</HeaderVersion></StandardBusinessDocumentHeader>"
    return f'<StandardBusinessDocument xmlns="{SBDH}">{header}{"".join(content)}</StandardBusinessDocument>'.encode()


def xml_envelope_without_document() -> bytes:
    return sbd()


def xml_envelope_with_two_documents() -> bytes:
    return sbd(INVOICE, INVOICE.replace("F-1", "F-2"))


def xml_11_envelopes() -> bytes:
    content = INVOICE
    for _ in range(11):
        content = sbd(content).decode()
    return content.encode()


# --- PDF ---


def pdf(objects: list[bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    """A file of the numbered `objects` with a right cross reference table."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def one_page(content: bytes, media_box: bytes = b"0 0 595 842") -> bytes:
    """A page whose content stream is the object `content`."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page % media_box, content, font])


TEXT = stream(b"BT /F 12 Tf 50 800 Td (Invoice F-17) Tj ET")


def pdf_cut_off() -> bytes:
    whole = one_page(stream(b" " * 4000))
    return whole[: len(whole) * 2 // 3]


def pdf_header_only() -> bytes:
    return b"%PDF-1.4\n%\xaa\xab\xac\xad\n"


def pdf_garbage_between_header_and_end() -> bytes:
    return b"%PDF-1.7\n" + bytes(range(256)) * 100 + b"\n%%EOF\n"


def pdf_without_pages() -> bytes:
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"])


def pdf_encrypted() -> bytes:
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(one_page(TEXT))) as document:
        document.save(out, encryption=pikepdf.Encryption(user="secret", owner="secret", R=6))
    return out.getvalue()


def pdf_page_of_200000_points() -> bytes:
    return one_page(TEXT, b"0 0 200000 200000")


def pdf_page_of_no_size() -> bytes:
    return one_page(TEXT, b"100 100 100 100")


def pdf_10000_pages() -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 10_003))
    pages = b"<< /Type /Pages /Kids [%s] /Count 10000 >>" % kids
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, *[page] * 10_000])


def deflated(size: int, piece: bytes) -> bytes:
    packer = zlib.compressobj(9)
    chunk = piece * (1_000_000 // len(piece))
    packed = [packer.compress(chunk) for _ in range(size // len(chunk))]
    return stream(b"".join(packed) + packer.flush(), b"/Filter /FlateDecode")


def pdf_360_megabytes_of_blanks() -> bytes:
    return one_page(deflated(360_000_000, b" "))


def pdf_360_megabytes_of_text() -> bytes:
    return one_page(deflated(360_000_000, b"BT /F 9 Tf 9 9 Td (Invoice 1) Tj ET\n"))


def pdf_360_megabytes_packed_twice() -> bytes:
    packer = zlib.compressobj(9)
    chunk = b"BT /F 9 Tf 9 9 Td (Invoice 1) Tj ET\n" * 30_000
    once = b"".join(packer.compress(chunk) for _ in range(360_000_000 // len(chunk))) + packer.flush()
    return one_page(stream(zlib.compress(once, 9), b"/Filter [/FlateDecode /FlateDecode]"))


def pdf_page_tree_that_is_a_ring() -> bytes:
    pages = b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 /Parent 2 0 R /MediaBox [0 0 595 842] >>"
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages])


def pdf_100000_nested_arrays() -> bytes:
    return one_page(stream(b"[" * 100_000 + b"]" * 100_000 + b" 0 d"))


def pdf_form_that_draws_itself() -> bytes:
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 4 0 R >> >>"
    drawn = b"/Resources << /XObject << /X 4 0 R >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R %s >>" % drawn
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    draws = b"/X Do /X Do"
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, stream(draws, form), stream(b"/X Do")])


def pdf_million_letters() -> bytes:
    line = b"BT /F 1 Tf 1 %d Td (" + b"invoice no " * 100 + b") Tj ET\n"
    return one_page(stream(b"".join(line % (number % 800) for number in range(1000))))


# --- neither ---


def empty() -> bytes:
    return b""


def blanks() -> bytes:
    return b" \r\n\t" * 1000


def byte_order_mark_only() -> bytes:
    return b"\xef\xbb\xbf"


def jpeg() -> bytes:
    return JPEG


def nul_bytes() -> bytes:
    return b"\0" * 100_000


def text() -> bytes:
    return b"Dear Sir,\r\nplease find enclosed nothing.\r\n"


def html() -> bytes:
    return b"<html><body><p>Invoice 1<br></body></html>"


def zip_archive() -> bytes:
    return b"PK\x03\x04" + b"\0" * 100


def build(name: str) -> bytes:
    """The bytes of the case `name` of `cases.toml`."""
    builder: Callable[[], bytes] = globals()[name.partition(".")[0].replace("-", "_")]
    return builder()


def main(folder: str) -> None:
    """Write every case into `folder`."""
    import tomllib

    cases = tomllib.loads((Path(__file__).parent / "cases.toml").read_text("utf-8"))
    for name in cases:
        Path(folder, name).write_bytes(build(name))


if __name__ == "__main__":
    main(sys.argv[1])
