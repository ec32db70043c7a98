"""Mails and documents to measure with. Each number gives another document; the same number always the same."""

from __future__ import annotations

import base64
import random
import zlib

LINES = 20  # of an invoice


def customer(number: int) -> str:
    """The customer number of document `number`, as the directory has it."""
    return f"C{number:06}"


# --- mails -----------------------------------------------------------------------------------------------


def mail(size: int) -> bytes:
    """A mail of about `size` bytes with one attachment that is noise; CRLF, no line begins with a dot."""
    noise = random.Random(size).randbytes(max(1, int((size - 600) * 57 / 78)))
    return mail_with("F-1.pdf", b"%PDF-1.7\n" + noise)


def mail_with(name: str, data: bytes) -> bytes:
    """A mail with `data` attached as `name`."""
    text = base64.b64encode(data)
    lines = [text[at : at + 76] for at in range(0, len(text), 76)]
    head = (
        "From: Billing <erp@seller.example>\r\nTo: ap@customer.example\r\nSubject: Your invoice\r\n"
        "Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@seller.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n'
        "--=_b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nYour invoice is attached.\r\n\r\n"
        f'--=_b\r\nContent-Type: application/octet-stream; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    )
    return head.encode() + b"\r\n".join(lines) + b"\r\n--=_b--\r\n"


# --- UBL -------------------------------------------------------------------------------------------------

_PARTY = """<cac:{role}><cac:Party><cbc:EndpointID schemeID="0088">7350001000{digit}</cbc:EndpointID>{number}
<cac:PostalAddress><cbc:StreetName>{street}</cbc:StreetName><cbc:CityName>{city}</cbc:CityName>
<cbc:PostalZone>41664</cbc:PostalZone><cac:Country><cbc:IdentificationCode>SE</cbc:IdentificationCode></cac:Country>
</cac:PostalAddress><cac:PartyTaxScheme><cbc:CompanyID>SE556000000{digit}01</cbc:CompanyID>
<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme><cac:PartyLegalEntity>
<cbc:RegistrationName>{name}</cbc:RegistrationName><cbc:CompanyID schemeID="0007">556000000{digit}</cbc:CompanyID>
</cac:PartyLegalEntity><cac:Contact><cbc:ElectronicMail>{email}</cbc:ElectronicMail></cac:Contact>
</cac:Party></cac:{role}>"""

_LINE = """<cac:InvoiceLine><cbc:ID>{line}</cbc:ID>
<cbc:InvoicedQuantity unitCode="C62">{quantity}</cbc:InvoicedQuantity>
<cbc:LineExtensionAmount currencyID="EUR">{amount}</cbc:LineExtensionAmount><cac:Item>
<cbc:Description>Article {line} of order {number}, in blue, packed by ten</cbc:Description>
<cbc:Name>Éclairage {line}</cbc:Name><cac:SellersItemIdentification><cbc:ID>ART-{line:06}</cbc:ID>
</cac:SellersItemIdentification><cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent>
<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>
<cac:Price><cbc:PriceAmount currencyID="EUR">12.50</cbc:PriceAmount></cac:Price></cac:InvoiceLine>"""

_INVOICE = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0</cbc:CustomizationID>
<cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID><cbc:ID>F-{number}</cbc:ID>
<cbc:IssueDate>2026-11-24</cbc:IssueDate><cbc:DueDate>2026-12-24</cbc:DueDate>
<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cbc:BuyerReference>Lager 2</cbc:BuyerReference>
{seller}
{buyer}
<cac:PaymentMeans><cbc:PaymentMeansCode>58</cbc:PaymentMeansCode><cac:PayeeFinancialAccount>
<cbc:ID>SE4950000000012340009876</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">{tax}</cbc:TaxAmount><cac:TaxSubtotal>
<cbc:TaxableAmount currencyID="EUR">{net}</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">{tax}</cbc:TaxAmount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal><cac:LegalMonetaryTotal>
<cbc:LineExtensionAmount currencyID="EUR">{net}</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="EUR">{net}</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="EUR">{gross}</cbc:TaxInclusiveAmount>
<cbc:PayableAmount currencyID="EUR">{gross}</cbc:PayableAmount></cac:LegalMonetaryTotal>
{lines}
</Invoice>
"""


def ubl(number: int, lines: int = LINES) -> bytes:
    """A UBL invoice for `customer(number)`."""
    quantities = [1 + (number + line) % 9 for line in range(lines)]
    net = sum(quantities) * 12.5
    buyer = f"<cac:PartyIdentification><cbc:ID>{customer(number)}</cbc:ID></cac:PartyIdentification>"
    places = {"street": f"Storgatan {number}", "city": "Göteborg"}
    return _INVOICE.format(
        number=number,
        seller=_PARTY.format(
            role="AccountingSupplierParty", digit=1, number="", name="Norrsken AB", email="erp@seller.example", **places
        ),
        buyer=_PARTY.format(
            role="AccountingCustomerParty",
            digit=2,
            number=buyer,
            name=f"Kund {number} AB",
            email="ap@customer.example",
            **places,
        ),
        net=f"{net:.2f}",
        tax=f"{net * 0.25:.2f}",
        gross=f"{net * 1.25:.2f}",
        lines="\n".join(
            _LINE.format(line=line + 1, number=number, quantity=quantity, amount=f"{quantity * 12.5:.2f}")
            for line, quantity in enumerate(quantities)
        ),
    ).encode()


# --- PDF -------------------------------------------------------------------------------------------------


def pdf(number: int, size: int = 0) -> bytes:
    """A text invoice of one page for `customer(number)`; filled up to `size` bytes, as logos and fonts would."""
    texts = [
        "Invoice",
        f"Invoice number: F-{number}",
        f"Customer number: {customer(number)}",
        "Invoice date: 2026-11-24",
        "Due date: 2026-12-24",
        *(
            f"ART-{line:06} Article {line}, in blue, packed by ten {line % 9 + 1} {line * 12.5:.2f}"
            for line in range(50)
        ),
        f"Amount due: {number % 1000 + 100}.00 EUR",
    ]
    drawn = "\n".join(f"1 0 0 1 40 {800 - row * 13} Tm ({text}) Tj" for row, text in enumerate(texts))
    page = zlib.compress(f"BT /F1 9 Tf\n{drawn}\nET".encode())
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        _stream(b"/Filter /FlateDecode", page),
    ]
    room = size - sum(map(len, objects)) - 600
    if room > 0:
        objects.append(_stream(b"", random.Random(number).randbytes(room)))
    return _file(objects)


def _stream(entries: bytes, data: bytes) -> bytes:
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (entries, len(data), data)


def _file(objects: list[bytes]) -> bytes:
    """The objects with their cross-reference table (ISO 32000-1 §7.5)."""
    out, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for place, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (place, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
