"""An invoice in the terms of EN 16931 as OIOUBL 2.1: UBL with the codes, schemes and totals of the Danish profile."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
from lxml import etree

from gateway.en16931 import Address, AllowanceCharge, Invoice, Note, Party, PaymentMeans
from gateway.formats.fitting import Fitting
from gateway.formats.oioubl import NAME, PROFILE, SCHEMES
from gateway.formats.ubl_invoice import written as ubl_written

_SPACE = "urn:oasis:names:specification:ubl:schema:xsd:Common{}Components-2"
CAC, CBC = f"{{{_SPACE.format('Aggregate')}}}", f"{{{_SPACE.format('Basic')}}}"
_SPACES = {"cac": _SPACE.format("Aggregate"), "cbc": _SPACE.format("Basic")}
_CATEGORIES = {"S": "StandardRated", "AE": "ReverseCharge", "Z": "ZeroRated", "E": "ZeroRated"}  # UNTDID 5305
_ZERO = "ZeroRated"
_SAID = frozenset({"S", "AE", "Z", "E"})
_DANISH = {"schemeAgencyID": "320"}  # the Danish agency for digital government
_TAX_SCHEME = {**_DANISH, "schemeID": "urn:oioubl:id:taxschemeid-1.5"}
_TAX_CATEGORY = {**_DANISH, "schemeID": "urn:oioubl:id:taxcategoryid-1.1"}
_PROFILE = {**_DANISH, "schemeID": "urn:oioubl:id:profileid-1.2"}
_VAT = "63"
_OTHER = "ZZZ"  # mutually agreed
_NO_ORDER = "NA"  # the order of an invoice that has none, since the rules want one
_GIROS = frozenset({"50", "93"})  # UNTDID 4461 as OIOUBL uses it: Danish payment slips
_SLIP = re.compile(r"(\d\d)#(\d*)", re.ASCII)  # card type and reference, as Peppol writes them
_BANK = re.compile(r"\d{4}", re.ASCII)  # registration number of a Danish bank
_IBAN = re.compile(r"[A-Z]{2}\d{2}[0-9A-Z]{1,30}", re.ASCII)
_TRANSFERS = frozenset({"30", "31", "42", "58"})
_CENT = Decimal("0.01")


def written(invoice: Invoice, lost: list[str]) -> bytes:
    """The bytes; what OIOUBL cannot hold is left out, and a sentence about it goes to `lost`."""
    fit = Fitting(NAME, lost)
    root = etree.fromstring(
        ubl_written(_prepared(invoice, fit), PROFILE, lost), etree.XMLParser(remove_blank_text=True)
    )
    _header(root, invoice)
    _parties(root, invoice, fit)
    _payment(root, invoice, fit)
    for category in root.iter(f"{CAC}TaxCategory", f"{CAC}ClassifiedTaxCategory"):
        _category(category, fit)
    _lines(root, invoice, lost)
    _totals(root, invoice)
    etree.indent(root)
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return content + b"\n"


# --- what the terms have and OIOUBL has not ----------------------------------------------------------------


def _prepared(invoice: Invoice, fit: Fitting) -> Invoice:
    """`invoice` without what has no place in OIOUBL, and with factors for percentages."""
    for term, said in (
        ("BT-8", invoice.tax_point_code),
        ("BT-32", invoice.seller.tax_id),
        ("BT-6, BT-111", invoice.accounting_currency),
        *(("the subject of a text (BT-21)", note.subject) for note in invoice.notes),
        *(("a reason code for no VAT (BT-121)", vat.exemption_code) for vat in invoice.vat),
        *(("a mandate (BT-89)", means.mandate) for means in invoice.payment),
        *(("a debited account (BT-91)", means.debited_account) for means in invoice.payment),
    ):
        fit.leave(term, said)
    lines = tuple(
        msgspec.structs.replace(line, allowances_charges=_factors(line.allowances_charges, fit))
        for line in invoice.lines
    )
    return msgspec.structs.replace(
        invoice,
        tax_point_code=None,
        buyer_reference=None,
        order=invoice.order or (None if invoice.sales_order else _NO_ORDER),
        accounting_currency=None,
        notes=tuple(Note(text=note.text) for note in invoice.notes),
        seller=msgspec.structs.replace(_two_lines(invoice.seller), tax_id=None),
        buyer=_two_lines(invoice.buyer),
        deliver_to=_two_lines(invoice.deliver_to) if invoice.deliver_to else None,
        tax_representative=_two_lines(invoice.tax_representative) if invoice.tax_representative else None,
        payment=(),
        allowances_charges=_factors(invoice.allowances_charges, fit),
        vat=tuple(msgspec.structs.replace(vat, exemption_code=None) for vat in invoice.vat),
        totals=msgspec.structs.replace(invoice.totals, vat_accounting_currency=None),
        lines=lines,
    )


def _two_lines(party: Party) -> Party:
    """A structured address has two lines: the third stands with the second."""
    address = party.address or Address()
    if not address.line3:
        return party
    second = ", ".join(line for line in (address.line2, address.line3) if line)
    return msgspec.structs.replace(party, address=msgspec.structs.replace(address, line2=second, line3=None))


def _factors(entries: tuple[AllowanceCharge, ...], fit: Fitting) -> tuple[AllowanceCharge, ...]:
    """OIOUBL writes the share, 0.1 for 10 %, and no codes of reasons."""
    for entry in entries:
        fit.leave("the code of a reason (BT-98, BT-105)", entry.reason_code if entry.reason else None)
    return tuple(
        msgspec.structs.replace(
            entry,
            percent=None if entry.percent is None else entry.percent / 100,
            reason=entry.reason or entry.reason_code,
            reason_code=None,
        )
        for entry in entries
    )


# --- what UBL has and OIOUBL says otherwise ----------------------------------------------------------------


def _find(node: Any, path: str) -> list[Any]:
    found: list[Any] = node.xpath(path, namespaces=_SPACES)
    return found


def _new(tag: str, text: str | None = None, **attributes: str) -> Any:
    prefix, _, local = tag.partition(":")
    element = etree.Element(f"{{{_SPACES[prefix]}}}{local}", nsmap=None)
    element.text = text
    for key, value in attributes.items():
        element.set(key, value)
    return element


def _header(root: Any, invoice: Invoice) -> None:
    root.insert(0, _new("cbc:UBLVersionID", "2.1"))
    for element in _find(root, "cbc:ProfileID"):
        element.attrib.update(_PROFILE)
    for element in _find(root, "cbc:InvoiceTypeCode | cbc:CreditNoteTypeCode"):
        element.attrib.update({"listAgencyID": "320", "listID": "urn:oioubl:codelist:invoicetypecode-1.1"})
    for element in _find(root, "cbc:DueDate"):
        root.remove(element)  # OIOUBL has it with the payment means


def _parties(root: Any, invoice: Invoice, fit: Fitting) -> None:
    for party in _find(root, "cac:AccountingSupplierParty/cac:Party | cac:AccountingCustomerParty/cac:Party"):
        _party(party)
    for address in _find(root, "//cac:PostalAddress | //cac:DeliveryLocation/cac:Address"):
        code = {"listAgencyID": "320", "listID": "urn:oioubl:codelist:addressformatcode-1.1"}
        address.insert(0, _new("cbc:AddressFormatCode", "StructuredLax", **code))
    for element in _find(root, "//cbc:EndpointID | //cac:PartyIdentification/cbc:ID"):
        _scheme(element)
    for element in _find(root, "//cac:PartyLegalEntity/cbc:CompanyID"):
        scheme = element.get("schemeID")
        fit.leave("schemes of registrations outside Denmark", scheme if scheme not in SCHEMES else None)
        _scheme(element, _OTHER)
    for scheme in _find(root, "//cac:PartyTaxScheme"):
        number = scheme[0]
        number.set("schemeID", "DK:SE" if (number.text or "").startswith("DK") else _OTHER)
        _vat_scheme(scheme[-1])
    (buyer,) = _find(root, "cac:AccountingCustomerParty/cac:Party")
    contact = next(iter(_find(buyer, "cac:Contact")), None)
    if contact is None:
        contact = _new("cac:Contact")
        buyer.append(contact)
    contact.insert(0, _new("cbc:ID", invoice.buyer_reference))


def _party(party: Any) -> None:
    """A name as people call it, which OIOUBL wants beside the registered one."""
    if not _find(party, "cac:PartyName"):
        name = _new("cac:PartyName")
        name.append(_new("cbc:Name", _find(party, "cac:PartyLegalEntity/cbc:RegistrationName")[0].text))
        before = _find(party, "cbc:EndpointID | cac:PartyIdentification")[-1]
        before.addnext(name)


def _scheme(element: Any, otherwise: str | None = None) -> None:
    """The word for an ISO 6523 code; an identifier without a known scheme is agreed between the two."""
    word = SCHEMES.get(element.get("schemeID") or "") or otherwise or element.get("schemeID") or _OTHER
    element.set("schemeID", word)
    if word == "GLN":
        element.set("schemeAgencyID", "9")


def _vat_scheme(scheme: Any) -> None:
    scheme[0].text = _VAT
    scheme[0].attrib.update(_TAX_SCHEME)
    scheme.append(_new("cbc:Name", "Moms"))


def _category(category: Any, fit: Fitting) -> None:
    code = category[0].text or ""
    if code not in _SAID:
        fit.leave("VAT categories other than S, Z, E and AE (BT-118)", code)
    category[0].text = _CATEGORIES.get(code, _ZERO)
    category[0].attrib.update(_TAX_CATEGORY)
    _vat_scheme(category[-1])


# --- payment -----------------------------------------------------------------------------------------------


def _payment(root: Any, invoice: Invoice, fit: Fitting) -> None:
    """BG-16 with the due date (BT-9), which has no other place; OIOUBL has a channel for each kind of account."""
    means = invoice.payment
    if invoice.due_date and not means:
        means = (PaymentMeans(),)
        fit.lost.append(f"{NAME} has the due date (BT-9) with the payment means; an undefined one carries it.")
    place = _find(root, "cac:PaymentTerms | cac:AllowanceCharge | cac:TaxTotal")[0]
    for each in means:
        place.addprevious(_means(each, invoice, fit))


def _means(means: PaymentMeans, invoice: Invoice, fit: Fitting) -> Any:
    node = _new("cac:PaymentMeans")
    account = "".join((means.account or "").split())
    code, channel = _channel(means, account)
    fit.leave("the code of the payment means (BT-81)", means.code if means.code != code else None)
    node.append(_new("cbc:PaymentMeansCode", code, **({"name": means.text} if means.text else {})))
    if invoice.due_date:
        node.append(_new("cbc:PaymentDueDate", invoice.due_date.isoformat()))
    if channel:
        code_list = {"listAgencyID": "320", "listID": "urn:oioubl:codelist:paymentchannelcode-1.1"}
        node.append(_new("cbc:PaymentChannelCode", channel, **code_list))
    slip = _SLIP.fullmatch(means.reference or "") if code in _GIROS else None
    if slip:
        if slip[2]:
            node.append(_new("cbc:InstructionID", slip[2]))
        node.append(_new("cbc:PaymentID", slip[1]))
        credit = _new("cac:CreditAccount")
        credit.append(_new("cbc:AccountID", account))
        node.append(credit)
        return node
    if account:
        node.append(_account(means, account, channel, fit))
    elif means.reference:
        node.append(_new("cbc:InstructionID", means.reference))
    fit.leave("a card (BT-87)", means.card)
    fit.leave("a creditor (BT-90)", means.creditor)
    return node


def _channel(means: PaymentMeans, account: str) -> tuple[str, str | None]:
    """Code and channel: slips, transfers by IBAN and within Denmark; the code 1 says that nothing is defined."""
    if means.code in _GIROS and _SLIP.fullmatch(means.reference or ""):
        return means.code or "", "DK:GIRO" if means.code == "50" else "DK:FIK"
    if means.code in _TRANSFERS and _IBAN.fullmatch(account):
        return "31", "IBAN"
    if means.code in _TRANSFERS and account and _BANK.fullmatch(means.bic or ""):
        return "42", "DK:BANK"
    if means.code in ("10", "20", "48", "97") and not account:
        return means.code, "DK:NEMKONTO" if means.code == "97" else None
    return "1", "ZZZ" if account else None


def _account(means: PaymentMeans, account: str, channel: str | None, fit: Fitting) -> Any:
    node = _new("cac:PayeeFinancialAccount")
    node.append(_new("cbc:ID", account))
    if means.account_name:
        node.append(_new("cbc:Name", means.account_name))
    if means.reference:
        node.append(_new("cbc:PaymentNote", means.reference))
    if means.bic:
        branch = _new("cac:FinancialInstitutionBranch")
        if channel == "IBAN":
            institution = _new("cac:FinancialInstitution")
            institution.append(_new("cbc:ID", means.bic))
            branch.append(institution)
        else:
            branch.append(_new("cbc:ID", means.bic))
        node.append(branch)
    return node


# --- lines and totals --------------------------------------------------------------------------------------


def _lines(root: Any, invoice: Invoice, lost: list[str]) -> None:
    """Each line states its VAT, to the cent: the one amount that is rounded here, and that is said."""
    rounded = False
    for node, line in zip(_find(root, "cac:InvoiceLine | cac:CreditNoteLine"), invoice.lines, strict=True):
        exact = (line.amount or Decimal(0)) * (line.vat_rate or 0) / 100
        tax = exact.quantize(_CENT, ROUND_HALF_UP)
        rounded = rounded or tax != exact
        total, subtotal = _new("cac:TaxTotal"), _new("cac:TaxSubtotal")
        currency = {"currencyID": invoice.currency or ""}
        total.append(_new("cbc:TaxAmount", f"{tax:f}", **currency))
        subtotal.append(_new("cbc:TaxableAmount", f"{line.amount or Decimal(0):f}", **currency))
        subtotal.append(_new("cbc:TaxAmount", f"{tax:f}", **currency))
        category = etree.fromstring(etree.tostring(_find(node, "cac:Item/cac:ClassifiedTaxCategory")[0]))
        category.tag = f"{CAC}TaxCategory"
        subtotal.append(category)
        total.append(subtotal)
        is_credit = node.tag.endswith("CreditNoteLine")  # the two kinds order allowances and taxes differently
        place = _find(node, "cac:AllowanceCharge | cac:Item" if is_credit else "cac:Item")[0]
        place.addprevious(total)
    if rounded:
        lost.append(f"{NAME} states the VAT of each line; it is counted from the rate and rounded to the cent.")


def _totals(root: Any, invoice: Invoice) -> None:
    """TaxExclusiveAmount is the total of the taxes here, and TaxInclusiveAmount holds the rounding."""
    totals = invoice.totals
    (node,) = _find(root, "cac:LegalMonetaryTotal")
    for name, amount in (
        ("TaxExclusiveAmount", totals.vat or Decimal(0)),
        ("TaxInclusiveAmount", (totals.with_vat or Decimal(0)) + (totals.rounding or 0)),
    ):
        (element,) = _find(node, f"cbc:{name}")
        element.text = f"{amount:f}"
