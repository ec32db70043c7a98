"""An invoice as the texts of its page: everything the template shows, already in words, in the order it shows it.

The template gets strings only. It computes no amount and interprets no text.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.en16931 import Invoice, Note
from gateway.formats import lines, parties, payment
from gateway.formats.contract import Options
from gateway.formats.glyphs import REPLACEMENT, Page
from gateway.formats.words import Words
from gateway.model import ReadDocument

# UNTDID 1001 to the title's label; every other code is an invoice.
_TITLES = {
    "381": "credit_note", "396": "credit_note", "532": "credit_note", "81": "credit_note", "83": "credit_note",
    "383": "debit_note", "80": "debit_note", "84": "debit_note", "384": "corrective", "386": "prepayment",
    "326": "partial", "389": "self_billed", "527": "self_billed", "261": "self_billed_credit",
}  # fmt: skip
_CREDITS = {"credit_note", "self_billed_credit"}
_CODES_LISTED = 24


def compose(document: ReadDocument, invoice: Invoice, options: Options) -> dict[str, Any]:
    """The data of the template for `invoice`."""
    words, page = Words(options.language), Page()
    kind = _TITLES.get(invoice.type_code or "", "credit_note" if document.subtype == "credit_note" else "invoice")
    accent = options.accent if re.fullmatch("#[0-9a-fA-F]{6}", options.accent) else "#1f4e79"
    data: dict[str, Any] = {
        "lang": words.language,
        "accent": accent,
        "dark": is_dark(accent),
        "date": list(options.now.timetuple()[:6]),
        "title": words.say("title", kind),
        "number": page.text(invoice.number, 24),
        "number_label": words.say("text", "number"),
        "page": words.say("text", "page"),
        "page_alone": words.say("text", "page_alone"),
        "part": {"first": True, "last": True, "before": 0},
        "window": parties.window(invoice),
        "seller": parties.head(invoice, words, page),
        "buyer": parties.lines(invoice.buyer, words, page, invoice.seller),
        "meta": parties.meta(invoice, words, page),
        "lead": _lead(invoice, kind, words, page),
        "parties": parties.others(invoice, words, page),
        "lines": lines.table(invoice, words, page),
        "adjustments": lines.adjustments(invoice, words, page),
        "vat": payment.vat(invoice, words, page),
        "totals": payment.totals(invoice, words, kind in _CREDITS),
        "payment": payment.means(invoice, words, page, kind in _CREDITS),
        "notes": _notes(invoice, words, page),
        "footer": parties.legal(invoice.seller, words, page),
    }
    data["author"] = page.text(invoice.seller.name)
    data["missing"] = missing(page, words)
    return data


def is_dark(accent: str) -> bool:
    """Whether white text on the accent, and the accent on white, can be read (WCAG 2 relative luminance, 4.5:1)."""
    channels = [int(accent[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] < 0.183


def _lead(invoice: Invoice, kind: str, words: Words, page: Page) -> str:
    """The sentence that names the preceding invoices (BG-3)."""
    if not invoice.preceding:
        return ""
    references = [
        words.say("text", "of_date", id=entry.id, date=words.date(entry.date)) if entry.date else entry.id
        for entry in invoice.preceding
    ]
    lead = "credit_lead" if kind in _CREDITS else "other_lead"
    return page.text(words.say("text", lead, references=", ".join(references)), 40)


def _said(note: Note, words: Words) -> str:
    """A note with its subject (BT-21, UNTDID 4451) before it: in words where there are some, else the code."""
    subject = words.labels["subjects"].get(note.subject)
    return f"{subject}: {note.text}" if subject else " · ".join(filter(None, (note.subject, note.text)))


def _notes(invoice: Invoice, words: Words, page: Page) -> list[dict[str, Any]]:
    """Titled blocks of paragraphs at the end: notes (BG-1), legal form too long for the footer, documents (BG-24)."""
    blocks = []
    notes = [page.text(_said(note, words), 60) for note in invoice.notes if note.text.strip()]
    legal = invoice.seller.legal_form
    if legal and len(legal) > parties.LONGEST_LEGAL:
        notes.append(page.text(legal, 60))
    if notes:
        blocks.append({"title": words.say("text", "notes"), "texts": [note.split("\n") for note in notes]})
    if invoice.supporting:
        documents = [
            page.text(" · ".join(dict.fromkeys(filter(None, (d.id, d.description, d.file_name, d.uri)))), 60)
            for d in invoice.supporting
        ]
        blocks.append({"title": words.say("text", "supporting"), "texts": [[text] for text in documents]})
    return blocks


def missing(page: Page, words: Words) -> str:
    """The sentence that lists the characters without a glyph."""
    if not page.missing:
        return ""
    codes = [f"U+{ord(character):04X}" for character in page.missing]
    listed = ", ".join(codes[:_CODES_LISTED])
    if len(codes) > _CODES_LISTED:
        listed += " " + words.say("text", "and_more", count=str(len(codes) - _CODES_LISTED))
    return words.say("text", "missing", count=str(len(codes)), mark=REPLACEMENT, codes=listed)
