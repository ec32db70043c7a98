"""Write the mails of the `mail-*` cases: python tests/golden/make_mails.py

Old systems write what no library of today writes, so most of it is put together by hand here.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
XML = b"<?xml version='1.0'?>\n<Invoice/>\n"
WHEN = "Date: Mon, 2 Mar 2026 09:41:00 +0100\n"
HEAD = f"{WHEN}Message-ID: <1@erp>\nFrom: ERP <erp@seller.example>\nTo: gateway@gw.example\n"
CASES: dict[str, tuple[str, str, bytes]] = {}  # name -> README, source's keys, mail


def case(name: str, why: str, mail: bytes | str, source: str = "") -> None:
    raw = mail.encode() if isinstance(mail, str) else mail
    CASES[name] = (why, source, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def uu(name: str, data: bytes) -> str:
    lines = [binascii.b2a_uu(data[at : at + 45], backtick=True).decode() for at in range(0, len(data), 45)]
    return f"begin 644 {name}\n{''.join(lines)}`\nend\n"


def part(headers: str, body: bytes | str) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    return b"--b\n" + headers.encode("latin-1") + b"\n\n" + data + b"\n"


def attached(name: str, data: bytes, media_type: str = "application/octet-stream") -> bytes:
    said = f'Content-Type: {media_type}\nContent-Disposition: attachment; filename="{name}"'
    return part(f"{said}\nContent-Transfer-Encoding: base64", base64.encodebytes(data))


def mixed(*parts: bytes, subject: str = "Invoice", kind: str = "mixed", head: str = HEAD) -> bytes:
    top = f"{head}Subject: {subject}\nMIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary=b\n\n"
    return top.encode() + b"".join(parts) + b"--b--\n"


def zipped(files: Mapping[str, bytes], flags: int = 0) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 2, 9, 41, 0)), data, zipfile.ZIP_DEFLATED)
    raw = made.getvalue()
    return raw if not flags else _flagged(raw, flags)


def _flagged(raw: bytes, flags: int) -> bytes:
    """The same with a bit set in every entry: nothing is encrypted really, but it says so."""
    out = bytearray(raw)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = raw.find(mark)
        while place >= 0:
            out[place + at] |= flags
            place = raw.find(mark, place + 4)
    return bytes(out)


def old_zip(name: bytes, data: bytes) -> bytes:
    """An archive with a name of eight-bit bytes, as PKZIP wrote it."""
    crc, size = zlib.crc32(data), len(data)
    common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x5C61, crc, size, size, len(name), 0)
    local = b"PK\x03\x04" + common + name + data
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def attribute(level: int, ident: int, data: bytes) -> bytes:
    return struct.pack("<BII", level, ident, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def winmail(*files: tuple[str, bytes]) -> bytes:
    out = b"\x78\x9f\x3e\x22\x01\x00" + attribute(1, 0x89006, struct.pack("<I", 0x10000))
    for name, data in files:
        long_name = name.encode("utf-16-le") + b"\0\0"
        value = struct.pack("<HHII", 0x1F, 0x3707, 1, len(long_name)) + long_name + b"\0" * (-len(long_name) % 4)
        out += attribute(2, 0x69002, b"\x01\x00" + b"\0" * 12) + attribute(2, 0x18010, b"SHORT~1.XML\0")
        out += attribute(2, 0x6800F, data) + attribute(2, 0x69005, struct.pack("<I", 1) + value)
    return out


def report(kind: str, inner: str, subject: str) -> bytes:
    human = part("Content-Type: text/plain", "This is what happened to your mail.")
    returned = part("Content-Type: message/rfc822", mixed(attached("F-77.pdf", PDF)).replace(b"--b", b"--c"))
    top = f"From: MAILER-DAEMON@mx.example\nSubject: {subject}\nDate: Mon, 2 Mar 2026 09:41:00 +0100\n"
    top += f"Message-ID: <r@mx>\nContent-Type: multipart/report; report-type={kind}; boundary=b\n\n"
    machine = part(f"Content-Type: message/{kind}", inner)
    return top.encode() + human + machine + returned.replace(b"boundary=b", b"boundary=c") + b"--b--\n"


# --- files written into the text ---

case(
    "01-uuencode",
    "Files in the text of a mail from before MIME: two of one base name are one document.",
    f"{HEAD}Subject: Invoice\n\nPlease find enclosed\n\n{uu('F-77.xml', XML)}\n{uu('F-77.pdf', PDF * 3)}\nRegards\n",
)
case(
    "02-uuencode-damaged",
    "A block with a damaged line is held and named; the whole one beside it goes.",
    f"{HEAD}Subject: Invoice\n\n" + uu("F-1.pdf", PDF * 9).replace("\nM", "\nMé", 1) + uu("F-2.pdf", PDF),
)
case(
    "03-uuencode-cut",
    "A block without its end was cut off on the way; the words begin 644 in a sentence are no file.",
    f"{HEAD}Subject: Invoice\n\nbegin 644 is how it starts.\n\n{uu('F-1.pdf', PDF * 9)[:300]}\n",
)
case(
    "04-uuencode-base64",
    "uuencode -m writes base64.",
    f"{HEAD}Subject: Invoice\n\nbegin-base64 644 F-1.pdf\n{base64.encodebytes(PDF).decode()}====\n",
)
case(
    "05-binhex",
    "BinHex is not read, and says so.",
    f"{HEAD}Subject: Invoice\n\n(This file must be converted with BinHex 4.0)\n\n:$f*TEQKPH#jdH3!\n",
)

# --- archives ---

case(
    "10-zip",
    "An archive with folders: files of one name in two folders are two documents, litter is left out.",
    mixed(
        attached(
            "invoices.zip",
            zipped(
                {
                    "march/F-1.xml": XML,
                    "march/F-1.pdf": PDF,
                    "april/F-1.pdf": PDF,
                    "../../etc/F-2.pdf": PDF,
                    "__MACOSX/march/._F-1.pdf": b"x",
                    "empty.pdf": b"",
                }
            ),
            "application/zip",
        )
    ),
)
case("11-zip-encrypted", "An encrypted archive is held whole.", mixed(attached("a.zip", zipped({"F-1.pdf": PDF}, 1))))
case(
    "12-zip-in-zip",
    "An archive in an archive is not opened, whatever it is called.",
    mixed(attached("a.zip", zipped({"b.dat": zipped({"F-1.pdf": PDF})}))),
)
case("13-zip-bomb", "30 MiB of nothing.", mixed(attached("a.zip", zipped({"F-1.pdf": b"\0" * (30 << 20)}))))
case(
    "14-zip-many",
    "More files than a mail may bring.",
    mixed(attached("a.zip", zipped({f"F-{number}.pdf": b"%PDF-" for number in range(201)}))),
)
case("15-zip-damaged", "An archive that was cut off.", mixed(attached("a.zip", zipped({"F-1.pdf": PDF * 50})[:-30])))
case(
    "16-zip-cp850",
    "A name in an old archive is text of the source's charsets: Ø is a yen sign to those who read it as CP437.",
    mixed(attached("a.zip", old_zip("Müller Ø.pdf".encode("cp850"), PDF))),
    'charset = ["utf-8", "cp850"]',
)
case(
    "17-office",
    "An Office file is an archive inside, and none to be opened.",
    mixed(attached("a.xlsx", zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}))),
)

# --- winmail.dat ---

case(
    "20-winmail",
    "Outlook's wrapping is opened: its files have their long names.",
    mixed(
        attached("winmail.dat", winmail(("Invoice F-77.xml", XML), ("Invoice F-77.pdf", PDF)), "application/ms-tnef")
    ),
)
case(
    "21-winmail-damaged",
    "A wrapping that was cut off is held, and says what it is.",
    mixed(attached("winmail.dat", winmail(("F-77.pdf", PDF))[:-20], "application/ms-tnef")),
)

# --- what comes beside documents ---

case(
    "30-beside",
    "Signature, visiting card, logo and text are left out and named; what belongs to the invoice stays with it.",
    mixed(
        part("Content-Type: text/plain", "Dear customer,"),
        part('Content-Type: image/png; name="logo.png"\nContent-ID: <logo@erp>', "png"),
        attached("F-77.pdf", PDF, "application/pdf"),
        attached("F-77.xml", XML, "application/xml"),
        attached("F-77_attachment1.png", b"\x89PNG\r\n", "image/png"),
        attached("me.vcf", b"BEGIN:VCARD\r\n", "application/octet-stream"),
        attached("smime.p7s", b"signature", "application/pkcs7-signature"),
        kind="signed; micalg=sha-256",
    ),
)
case(
    "31-signed-inside",
    "A mail that is inside its own signature is held with what to do.",
    f"{HEAD}Subject: Invoice\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n"
    f"Content-Transfer-Encoding: base64\n\n{base64.encodebytes(b'0' + PDF).decode()}",
)
case(
    "32-pgp",
    "A file encrypted with PGP is held.",
    mixed(attached("F-77.pdf.asc", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n")),
)

# --- notices ---

case(
    "40-bounce",
    "A report on a delivery ends, and the invoice that it returns is no document.",
    report("delivery-status", "Action: failed\nStatus: 5.1.1", "Undelivered Mail Returned to Sender"),
)
case(
    "41-receipt",
    "So does a receipt.",
    report("disposition-notification", "Disposition: manual-action/MDN-sent-manually; displayed", "Read: Invoice"),
)
case(
    "42-auto-reply",
    "A machine's answer ends, even with an attachment.",
    mixed(attached("logo.pdf", PDF), subject="Re: Invoice", head=f"{HEAD}Auto-Submitted: auto-replied (vacation)\n"),
)
case("43-toner", "A printer tells of itself.", f"{HEAD}Subject: [MFP-2] Toner low: Black\n\nReplace soon.\n")
case("44-test", "A scanner's test.", f"{HEAD}Subject: SMTP test\n\nThis is a test.\n")
case(
    "45-qmail",
    "A bounce from before there were reports.",
    "From: MAILER-DAEMON@mx.example\nDate: Mon, 2 Mar 2026 09:41:00 +0100\nMessage-ID: <q@mx>\n"
    "Subject: failure notice\n\nHi. This is the qmail-send program.\n",
)
case(
    "46-own-subject",
    "What the source's notice_subjects names is a notice whatever is attached.",
    mixed(attached("counters.pdf", PDF), subject="Meter report of MFP-2"),
    "notice_subjects = ['^Meter report']",
)
case(
    "47-held",
    "A source may want its notices held.",
    f"{HEAD}Subject: Paper jam\n\nTray 2.\n",
    'notices = "hold"',
)
case(
    "48-automatic-invoice",
    "An ERP's mail that says it is automatic, with a toner order's invoice attached, is a document.",
    mixed(
        attached("F-77.pdf", PDF),
        subject="Invoice for toner low order",
        head=f"{HEAD}Auto-Submitted: auto-generated\nPrecedence: bulk\n",
    ),
)
case("49-no-document", "A mail without a file that is no notice waits for a person.", f"{HEAD}Subject: Hello\n\nHi\n")

# --- fields in the mail ---

case(
    "50-number-in-rcpt",
    "A number in the place of a mailbox; a scan@ is none.",
    mixed(attached("F-77.pdf", PDF)),
    'rcpt_to = ["scan@gw.example", "100234@gw.example"]\n[fields]\ncustomer_number = { where = "rcpt" }',
)
case(
    "51-fields-in-subject",
    "Number, type and date in the subject, which is encoded; a date that is none is noted.",
    mixed(attached("F-77.pdf", PDF), subject="=?iso-8859-1?q?Mahnung_f=FCr_Kunde_4711_vom_31.31.2026?="),
    "[fields]\ncustomer_number = { where = \"subject\", regex = 'Kunde (\\d+)' }\n"
    "type = { where = \"subject\", regex = '^(\\w+)' }\nissue_date = { where = \"subject\", regex = 'vom (\\S+)' }",
)
case(
    "52-fields-in-html",
    "Number and address in a text that is HTML.",
    mixed(
        part(
            "Content-Type: text/html; charset=utf-8",
            "<p>Kundnummer:</p><b>SE-17</b><br>Send&nbsp;to: a@kund.example; b@kund.example<br>",
        ),
        attached("F-77.pdf", PDF),
    ),
    '[fields]\ncustomer_number = { where = "body", label = "Kundnummer" }\n'
    "email = { where = \"body\", regex = 'to: (.+)' }",
)
case(
    "53-document-first",
    "What stands after the document in the list only fills what is missing there.",
    mixed(attached("F-77.pdf", PDF)),
    'rcpt_to = ["100234"]\n[fields]\ncustomer_number = [{ where = "document" }, { where = "rcpt" }]',
)
case(
    "54-address-in-rcpt",
    "The real address in RCPT TO.",
    mixed(attached("F-77.pdf", PDF)),
    'rcpt_to = ["kund@kopare.example"]\n[fields]\nemail = { where = "rcpt" }',
)

# --- headers and names ---

NAME = (
    'Content-Type: application/pdf\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="{}"'
)
B64 = base64.encodebytes(PDF)
case(
    "60-latin-1",
    "Eight-bit bytes in subject and file name, as Windows writes them.",
    mixed(part(NAME.format("Rechnung Müller.pdf"), B64)).replace(b"Subject: Invoice", "Subject: März".encode("cp1252")),
)
case(
    "61-cp850",
    "The same from MS-DOS, by the source's list.",
    mixed(part(NAME.format("F"), B64))
    .replace(b'filename="F"', 'filename="Rechnung Müller.pdf"'.encode("cp850"))
    .replace(b"Subject: Invoice", "Subject: März".encode("cp850")),
    'charset = ["utf-8", "cp850"]',
)
case(
    "62-words-in-quotes",
    "RFC 2047 in a quoted string, which it forbids and everybody does.",
    mixed(part(NAME.format("=?iso-8859-1?Q?M=FCller?=\n =?utf-8?B?LnBkZg==?="), B64)),
)
case(
    "63-continuations",
    "RFC 2231 in pieces, one of them raw.",
    mixed(
        part(
            "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment;\n"
            " filename*0*=iso-8859-1'de'M%FCller%20;\n filename*1=\"und Co\";\n filename*2*=%2Epdf",
            B64,
        )
    ),
)
case(
    "64-bare",
    "No Date, no Message-ID, no From, no subject.",
    mixed(attached("F-77.pdf", PDF), head="").replace(b"Subject: Invoice\n", b""),
)
case(
    "65-wrong",
    "A date that is none, two From, a To without a domain.",
    mixed(
        attached("F-77.pdf", PDF),
        head="Date: 02/03/26\nFrom: a@seller.example\nFrom: b@seller.example\nTo: 100234@\nMessage-ID: <1@erp>\n",
    ),
)
case(
    "66-piece",
    "A piece of a larger mail waits for the others.",
    f'{HEAD}Subject: scan [2/3]\nContent-Type: message/partial; number=2; total=3; id="abc@scanner"\n\nJVBERi0x\n',
)


def main() -> None:
    """Write all of them."""
    for name, (why, source, mail) in CASES.items():
        folder = HERE / f"mail-{name}"
        folder.mkdir(exist_ok=True)
        (folder / "README").write_text(why + "\n", "utf-8")
        (folder / "in.eml").write_bytes(mail)
        if source:
            (folder / "source.toml").write_text(source + "\n", "utf-8")


if __name__ == "__main__":
    main()
