"""The code a banking app scans to pay: EPC069-12 v2.1 (SEPA credit transfer) as a QR code (ISO/IEC 18004)."""

from __future__ import annotations

import re
from typing import Final

import segno

from gateway.en16931 import Invoice, PaymentMeans
from gateway.formats.glyphs import clean
from gateway.formats.words import shorten

_TRANSFERS: Final = {None, "1", "30", "31", "42", "58"}  # UNTDID 4461
_LONGEST_NAME, _LONGEST_TEXT, _LONGEST = 70, 140, 331
_QUIET = 4  # modules of white around (ISO/IEC 18004 §6.3.8)


def payload(invoice: Invoice) -> str | None:
    """The text of the code; None where the transfer cannot be said in one (other currency, no IBAN, nothing due), and
    where what is stated leaves a choice: several IBANs, or a debit or card beside."""
    due = invoice.totals.payable
    means = next(filter(_iban, invoice.payment), None)
    is_clear = {entry.code for entry in invoice.payment} <= _TRANSFERS and len(
        {*map(_iban, invoice.payment)} - {""}
    ) == 1
    if means is None or not is_clear or due is None or invoice.currency != "EUR" or not due.is_finite():
        return None
    whole, _, cents = format(shorten(due), "f").partition(".")
    amount = f"{whole}.{cents:0<2}"
    if not re.fullmatch(r"[0-9]{1,9}\.[0-9]{2}", amount) or due <= 0:
        return None
    name = means.account_name or (invoice.payee.name if invoice.payee else None) or invoice.seller.name
    if not name:
        return None
    reference = _line(means.reference or invoice.number or "", _LONGEST_TEXT)
    structured = _compact(reference) if _is_creditor_reference(_compact(reference)) else ""
    bic = _compact(means.bic or "")
    lines = ["BCD", "002", "1", "SCT", bic if re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", bic) else ""]
    lines += [_line(name, _LONGEST_NAME), _iban(means), f"EUR{amount}", "", structured, "" if structured else reference]
    text = "\n".join(lines).rstrip("\n")
    return text if len(text.encode()) <= _LONGEST else None


def svg(text: str) -> str:
    """`text` as a QR code of one path, level M as the guideline asks."""
    # A fixed mask: trying all eight takes five times as long, and readers undo any of them.
    code = segno.make_qr(text, error="m", mode="byte", encoding="utf-8", mask=3, boost_error=False)
    size = len(code.matrix) + 2 * _QUIET
    runs = "".join(
        f"M{run.start() + _QUIET} {y + _QUIET}h{len(run[0])}v1h-{len(run[0])}z"
        for y, row in enumerate(code.matrix)
        for run in re.finditer("\x01+", row.decode("latin-1"))
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><path d="{runs}"/></svg>'


def _compact(text: str) -> str:
    return re.sub(r"\s", "", text).upper()


def _line(text: str, longest: int) -> str:
    return " ".join(clean(text).split())[:longest]


def _remainder(code: str) -> int:
    """ISO 7064 MOD 97-10 of a code whose check digits stand at its third and fourth place; 1 is right."""
    return int("".join(str(int(character, 36)) for character in code[4:] + code[:4])) % 97


def _iban(means: PaymentMeans) -> str:
    """The account as an IBAN with right check digits (ISO 13616), else empty."""
    compact = _compact(means.account or "")
    return compact if re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", compact) and _remainder(compact) == 1 else ""


def _is_creditor_reference(text: str) -> bool:
    """Whether `text` is a creditor reference (ISO 11649)."""
    return re.fullmatch(r"RF[0-9]{2}[A-Z0-9]{1,21}", text) is not None and _remainder(text) == 1
