"""OIOUBL 2.x, the Danish UBL: what it says otherwise than EN 16931 does in the same elements.

Its codes are those of the OIOUBL code lists (urn:oioubl:…); its TaxExclusiveAmount is the total of the taxes, its
TaxInclusiveAmount holds the rounding, duties stand among the taxes, and lines have their VAT in a TaxTotal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from gateway.en16931 import AllowanceCharge, Identifier, Invoice, Line, Party, PaymentMeans, VatBreakdown
from gateway.readers.derived import percent_of, sums_of
from gateway.readers.ubl_invoice import invoice_of
from gateway.readers.ubl_paths import UBL

_CUSTOMIZATION = "OIOUBL-"
_VAT = "63"  # urn:oioubl:id:taxschemeid: Moms, the Danish VAT
# urn:oioubl:id:taxcategoryid to UNTDID 5305
CATEGORIES = {"StandardRated": "S", "ZeroRated": "Z", "ReverseCharge": "AE"}
_ZERO, _EXEMPT = "Z", "E"
# Words of schemes to ISO 6523: central business register, VAT register, production units, GS1 locations, DUNS
SCHEMES = {"DK:CVR": "0184", "DK:SE": "0198", "DK:P": "0096", "GLN": "0088", "EAN": "0088", "DUNS": "0060"}
_NO_SCHEME = "ZZZ"
_NOTHING = ("n/a", "na", "-")  # what stands where the schema or the rules want something
# Payment forms with a card type: the two together are the reference, as Peppol writes them in Denmark (DK-R-008, -010)
_SLIPS = ("50", "93")


def content_of(root: Any, notes: list[str]) -> Invoice:
    """The content of a UBL `root`, Danish or not, in the terms of EN 16931; sentences about it go to `notes`."""
    invoice = invoice_of(root, notes)
    if not (invoice.specification or "").startswith(_CUSTOMIZATION):
        return invoice
    return _Danish(root, notes).content(invoice)


def code_of(category: str | None, reason: str | None = None) -> str | None:
    """UNTDID 5305; what has a rate of zero for a reason is exempt."""
    code = CATEGORIES.get(category or "", category)
    return _EXEMPT if code == _ZERO and reason else code


class _Danish:
    """One document, read again where OIOUBL means something else."""

    def __init__(self, root: Any, notes: list[str]) -> None:
        self.root = root
        self.notes = notes

    def content(self, invoice: Invoice) -> Invoice:
        """`invoice` with what OIOUBL means."""
        lines = _each(self._line, UBL.nodes(self.root, "cac:InvoiceLine | cac:CreditNoteLine"), invoice.lines)
        vat = tuple(map(self._vat, self._subtotals(self.root, is_vat=True)))
        entries = (*self._entries(invoice.allowances_charges), *self._duties(vat))
        contact = UBL.value(self.root, "cac:AccountingCustomerParty/cac:Party/cac:Contact/cbc:ID")
        payment = _each(self._means, UBL.nodes(self.root, "cac:PaymentMeans"), invoice.payment)
        invoice = msgspec.structs.replace(
            invoice,
            lines=lines,
            vat=vat,
            allowances_charges=entries,
            payment=payment,
            order=_said(invoice.order),
            buyer_reference=invoice.buyer_reference or _said(contact),
            seller=_party(invoice.seller),
            buyer=_party(invoice.buyer),
            payee=_party(invoice.payee) if invoice.payee else None,
            deliver_to=_party(invoice.deliver_to) if invoice.deliver_to else None,
        )
        return self._with_totals(invoice)

    def _subtotals(self, node: Any, *, is_vat: bool) -> list[Any]:
        """The tax subtotals below `node` that are of VAT, or of duties."""
        scheme = f"cac:TaxCategory/cac:TaxScheme/cbc:ID = '{_VAT}'"
        wanted = scheme if is_vat else f"not({scheme})"
        return UBL.nodes(node, f"cac:TaxTotal/cac:TaxSubtotal[{wanted}]")

    def _vat(self, node: Any) -> VatBreakdown:
        reason = UBL.text(node, "cac:TaxCategory/cbc:TaxExemptionReason")
        return VatBreakdown(
            category=code_of(UBL.value(node, "cac:TaxCategory/cbc:ID"), reason),
            rate=UBL.decimal(node, "cac:TaxCategory/cbc:Percent"),
            taxable=UBL.decimal(node, "cbc:TaxableAmount"),
            amount=UBL.decimal(node, "cbc:TaxAmount"),
            exemption_reason=reason,
        )

    def _duties(self, vat: Sequence[VatBreakdown]) -> list[AllowanceCharge]:
        """Taxes other than VAT, which the total without VAT holds: charges, with the VAT that is taken on them."""
        found = []
        for node in self._subtotals(self.root, is_vat=False):
            amount = UBL.decimal(node, "cbc:TaxAmount")
            if amount is None:
                continue
            category = code_of(UBL.value(node, "cac:TaxCategory/cac:TaxScheme/cbc:TaxTypeCode"))
            rates = {entry.rate for entry in vat if entry.category == category}
            self.notes.append("Taxes other than VAT are read as charges.")
            found.append(
                AllowanceCharge(
                    is_charge=True,
                    amount=amount,
                    base=UBL.decimal(node, "cbc:TaxableAmount"),
                    percent=UBL.decimal(node, "cac:TaxCategory/cbc:Percent"),
                    vat_category=category,
                    vat_rate=rates.pop() if len(rates) == 1 else None,
                    reason=UBL.text(node, "cac:TaxCategory/cac:TaxScheme/cbc:Name"),
                )
            )
        return found

    def _entries(self, entries: tuple[AllowanceCharge, ...]) -> tuple[AllowanceCharge, ...]:
        """Allowances and charges: a factor is a share of the base, not a percentage."""
        return tuple(
            msgspec.structs.replace(
                entry,
                vat_category=code_of(entry.vat_category, self._exemption()),
                percent=percent_of(entry.percent, entry.base, entry.amount),
            )
            for entry in entries
        )

    def _exemption(self) -> str | None:
        """The reason for which the document has no VAT on what has a rate of zero."""
        zero = "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory[cbc:ID = 'ZeroRated']"
        return UBL.text(self.root, f"{zero}/cbc:TaxExemptionReason")

    def _line(self, node: Any, line: Line) -> Line:
        """The VAT of the subtotal on the line's own amount; a price is for as many units as one ordered unit holds."""
        subtotals = self._subtotals(node, is_vat=True)
        own = [each for each in subtotals if UBL.decimal(each, "cbc:TaxableAmount") == line.amount] or subtotals
        vat = self._vat(own[0]) if own else None
        category = code_of(line.vat_category or (vat.category if vat else None), self._exemption())
        factor = UBL.decimal(node, "cac:Price/cbc:OrderableUnitFactorRate")
        price = line.price
        if price is not None and factor is not None and factor != 1:
            self.notes.append(f"The price of line {line.id} is per part of the unit; it is read as that of the whole.")
            price = price * factor
        return msgspec.structs.replace(
            line,
            vat_category=category,
            vat_rate=line.vat_rate if line.vat_rate is not None or vat is None else vat.rate,
            price=price,
            allowances_charges=self._entries(line.allowances_charges),
        )

    def _means(self, node: Any, means: PaymentMeans) -> PaymentMeans:
        """Danish slips have a card type, a reference and a creditor; a transfer has its text with the account."""
        instruction = UBL.value(node, "cbc:InstructionID")
        card_type = UBL.value(node, "cbc:PaymentID")
        note = UBL.value(node, "cac:PayeeFinancialAccount/cbc:PaymentNote")
        reference = instruction or means.reference or note
        if means.code in _SLIPS and card_type:
            reference = f"{card_type}#{instruction}" if instruction else f"{card_type}#"
        creditor = UBL.value(node, "cac:CreditAccount/cbc:AccountID")
        return msgspec.structs.replace(means, reference=reference, account=means.account or creditor)

    def _with_totals(self, invoice: Invoice) -> Invoice:
        """BG-22: the sums follow from the lines, the allowances and charges, and the VAT (rules BR-CO-11 to -15)."""
        totals = invoice.totals
        sums = sums_of(invoice.allowances_charges)
        amounts = [entry.amount for entry in invoice.vat if entry.amount is not None]
        vat = sum(amounts, Decimal(0)) if amounts and len(amounts) == len(invoice.vat) else totals.vat
        if totals.lines is None or vat is None:
            return invoice
        without = totals.lines - (sums["allowances"] or 0) + (sums["charges"] or 0)
        is_rounded = totals.rounding and totals.with_vat == without + vat + totals.rounding
        with_vat = without + vat if is_rounded else totals.with_vat
        return msgspec.structs.replace(
            invoice,
            totals=msgspec.structs.replace(totals, **sums, without_vat=without, vat=vat, with_vat=with_vat),
        )


def _each(read: Callable[[Any, Any], Any], nodes: Sequence[Any], terms: Sequence[Any]) -> tuple[Any, ...]:
    """`read` for each element with the term that was made of it."""
    return tuple(read(node, term) for node, term in zip(nodes, terms, strict=True))


def _said(value: str | None) -> str | None:
    return None if value is None or value.casefold() in _NOTHING else value


def _party(party: Party) -> Party:
    """With schemes by number, and without the name once more as the trading name."""
    return msgspec.structs.replace(
        party,
        trading_name=party.trading_name if party.trading_name != party.name else None,
        identifiers=tuple(map(_identifier, party.identifiers)),
        legal_id=_identifier(party.legal_id) if party.legal_id else None,
        endpoint=_identifier(party.endpoint) if party.endpoint else None,
    )


def _identifier(identifier: Identifier) -> Identifier:
    scheme = SCHEMES.get(identifier.scheme or "", identifier.scheme)
    return msgspec.structs.replace(identifier, scheme=None if scheme == _NO_SCHEME else scheme)
