"""Write `gateway/samples/invoice-papeterie.pdf`, a text invoice as an accounting program prints it.

python tests/golden/make_text_invoice.py gateway/samples/invoice-papeterie.pdf
"""

from __future__ import annotations

import sys

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

SELLER = ("Papeterie du Vieux-Port SARL", "8 quai des Brumes", "13002 Marseille", "Tél. +33 1 99 00 56 78")
BUYER = ("Atelier Lindqvist AB", "Verkstadsgatan 9", "414 58 Göteborg", "SUÈDE")
FACTS = (
    ("Date", "19/11/2026"),
    ("N° client", "0020881"),
    ("Échéance", "19/12/2026"),
    ("E-mail", "ekonomi@lindqvist.example"),
)
LINES = (
    ("PA-A4-90", "Papier A4, 90 g, carton de 2 500 feuilles", "12", "34,90", "418,80"),
    ("EN-DL-F", "Enveloppes DL avec fenêtre, par 1 000", "3", "41,00", "123,00"),
    ("ET-105", "Étiquettes 105 × 74 mm, par 800", "5", "18,64", "93,20"),
)
TOTALS = (("Total HT", "635,00 EUR"), ("TVA 20 %", "127,00 EUR"), ("Total TTC", "762,00 EUR"))
NOTES = (
    "Règlement par virement : IBAN FR7630006000011234567890189, référence FA-2026-0318.",
    "Pas d'escompte pour paiement anticipé. Indemnité forfaitaire pour frais de recouvrement : 40 EUR.",
    "Papeterie du Vieux-Port SARL, RCS Marseille 000 000 000, TVA FR00000000000",
)


def draw(path: str) -> None:
    """Draw the one page; no date or random id of the run goes into the file."""
    page = Canvas(path, pagesize=A4, invariant=1)
    page.setTitle("Facture FA-2026-0318")
    texts(page, 20, 280, SELLER, 11)
    page.setFont("Helvetica-Bold", 16)
    page.drawString(120 * mm, 278 * mm, "Facture n° FA-2026-0318")
    texts(page, 120, 245, BUYER, 11)
    for row, (label, value) in enumerate(FACTS):
        text(page, 20, 245 - 6 * row, f"{label} : {value}")
    for row, line in enumerate((("Référence", "Désignation", "Qté", "Prix HT", "Montant HT"), *LINES)):
        item, name, *figures = line
        y = 200 - 7 * row
        text(page, 20, y, item)
        text(page, 48, y, name)
        for right, figure in zip((140, 165, 190), figures, strict=True):
            page.drawRightString(right * mm, y * mm, figure)
    page.line(20 * mm, 197.5 * mm, 190 * mm, 197.5 * mm)
    for row, (label, value) in enumerate(TOTALS):
        text(page, 130, 160 - 6 * row, label)
        page.drawRightString(190 * mm, (160 - 6 * row) * mm, value)
    texts(page, 20, 60, NOTES, 9)
    page.save()


def text(page: Canvas, x: float, y: float, words: str, size: float = 10) -> None:
    """One line of text at millimetres from the bottom left."""
    page.setFont("Helvetica", size)
    page.drawString(x * mm, y * mm, words)


def texts(page: Canvas, x: float, y: float, lines: tuple[str, ...], size: float) -> None:
    """Lines of text under each other."""
    for row, line in enumerate(lines):
        text(page, x, y - row * size * 0.5, line, size)


if __name__ == "__main__":
    draw(sys.argv[1])
