"""Write `in.pdf` of the reader cases: python tests/golden/make_reader_pdfs.py"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pikepdf import AttachedFileSpec, Name, Pdf
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfdoc import PDFString
from reportlab.pdfgen.canvas import Canvas

HERE = Path(__file__).parent  # where to write
SOURCES = HERE
HEIGHT = A4[1]


def texts(page: Canvas, *placed: tuple[float, float, str], size: float = 10) -> None:
    """Texts at mm from the left and the top."""
    page.setFont("Helvetica", size)
    for left, top, text in placed:
        page.drawString(left * mm, HEIGHT - top * mm, text)


def french(page: Canvas) -> None:
    page._doc.Catalog.Lang = PDFString("fr-FR")
    texts(page, (20, 25, "Facture"), size=18)
    texts(page, (20, 20, "Menuiserie Beaumont SARL"), (20, 270, "contact@beaumont.example"))
    # Drawn column by column: the order of the stream is not that of the page.
    texts(page, (120, 40, "Facture n°"), (120, 46, "Date de facturation :"), (120, 52, "Code client"))
    texts(page, (120, 58, "Date d’échéance"), (120, 230, "Total HT"), (120, 236, "Net à payer (EUR)"))
    texts(page, (165, 40, "FA-2026/031"), (165, 46, "1er février 2026"), (165, 52, "0042"), (165, 58, "3 mars 2026"))
    texts(page, (165, 230, "1 000,00 €"), (165, 236, "1 200,00 €"))


def german(page: Canvas) -> None:
    texts(page, (20, 30, "G U T S C H R I F T"), size=16)
    texts(page, (20, 60, "Belegnummer"), (60, 60, "Rechnungsdatum"), (110, 60, "Kunden-Nr."), (150, 60, "Lieferschein"))
    texts(page, (20, 65, "2026 000 17"), (60, 65, "02.03.2026"), (110, 65, "K-1001"), (150, 65, "L-9"))
    texts(page, (20, 90, "Bezeichnung"), (150, 90, "Gesamtbetrag"), (20, 96, "Tisch"), (150, 96, "100,00"))
    page.showPage()
    texts(page, (20, 30, "Übertrag"), (150, 30, "100,00"), (20, 40, "Gesamtbetrag der Rabatte"), (150, 40, "0,00"))
    texts(page, (20, 50, "Gesamtbetrag"), (150, 50, "119,00 EUR"), (20, 60, "Ihre Kundennummer: K-1001"))


def patterns(page: Canvas) -> None:
    texts(page, (20, 20, "Kvarn & Co"), (20, 26, "info@kvarn.example"), (150, 20, "Faktura"))
    texts(page, (20, 40, "Vår referens ABC"), (20, 46, "Kund K17/9 avtal 3"), (120, 40, "Kundnummer 9999"))
    texts(page, (120, 60, "Till: a@kund.example;"), (120, 66, "b@kund.example"), (20, 80, "Belopp kvar"))
    texts(page, (20, 86, "1.234:50"), (20, 200, "Faktura gäller order 77"))
    page.showPage()
    texts(page, (20, 40, "Sista dag 2026-05-06"))


def reminder(page: Canvas) -> None:
    texts(page, (20, 30, "Betalningspåminnelse"), size=16)
    texts(page, (20, 45, "Faktura 4711"), (20, 51, "Fakturanummer: 4711"), (20, 57, "Kundnr 12"))
    texts(page, (20, 63, "Förfallodatum 2026-01-31"), (20, 69, "Att betala: SEK 1 250,00"))


def without_text(page: Canvas) -> None:
    page.rect(20 * mm, 20 * mm, 100 * mm, 100 * mm, fill=1)


def rotated(page: Canvas) -> None:
    page.setPageRotation(90)
    page.setFont("Helvetica", 12)
    for left, top, text in ((20, 20, "Invoice"), (20, 30, "Customer number: 77"), (20, 40, "Invoice no. R-1")):
        page.saveState()
        page.translate(top * mm, left * mm)  # as shown, the page's x goes down and its y to the right
        page.rotate(90)
        page.drawString(0, 0, text)
        page.restoreState()


def tagged(page: Canvas) -> None:
    texts(page, (20, 20, "Delivery note"), (20, 30, "Customer number 1"), (20, 40, "Invoice number 2"))
    texts(page, (20, 285, "GW1;c=1001;t=invoice;n=F-17;e=a@b.example;x=ignored"), size=6)


def american(page: Canvas) -> None:
    page.setCropBox((20 * mm, 10 * mm, 190 * mm, 280 * mm))
    texts(page, (30, 40, "Tax Invoice"), (30, 46, "Order date 2026-01-01"), (30, 52, "Delivery note 17"))
    texts(page, (30, 60, "Invoice #"), (80, 60, "INV-9"), (30, 66, "Invoice date"), (80, 66, "03/04/2026"))
    texts(page, (30, 72, "Due date: March 14, 2026"), (30, 78, "Customer ID:"), (30, 83, "C-77"))
    texts(page, (30, 90, "sales@seller.example"), (120, 200, "Amount due"), (120, 206, "$1,234.50"))


def order(page: Canvas) -> None:
    texts(page, (20, 30, "Purchase order 450001"), (20, 40, "Invoice address: Main street 1"), (20, 46, "Order date"))
    texts(page, (50, 46, "2026-07-01"))


def hybrid(page: Canvas) -> None:
    texts(page, (20, 25, "Rechnung"), size=18)
    texts(page, (20, 40, "Rechnungsnummer: C-2026/9999"), (20, 46, "Kundennummer: K-77"), (20, 52, "Datum: 02.03.2026"))
    texts(page, (20, 58, "Zu zahlen: 22,00 EUR"))


CASES: dict[str, Callable[[Canvas], None]] = {
    "reader-20-pdf-french": french,
    "reader-21-pdf-german-table": german,
    "reader-22-pdf-patterns": patterns,
    "reader-23-pdf-reminder": reminder,
    "reader-24-pdf-without-text": without_text,
    "reader-25-pdf-rotated": rotated,
    "reader-26-pdf-tag": tagged,
    "reader-27-pdf-american": american,
    "reader-28-pdf-order": order,
    "reader-42-factur-x": hybrid,
}
# What else is inside: name in the PDF, and the file beside this script.
INSIDE = {
    "reader-42-factur-x": (
        ("Factur-X.XML", "reader-40-cii-whole/in.xml"),
        ("zeiten.csv", "reader-42-factur-x/zeiten.csv"),
    )
}


def main() -> None:
    """Write every file; they come out the same each time."""
    for name, draw in CASES.items():
        (HERE / name).mkdir(exist_ok=True)
        page = Canvas(str(HERE / name / "in.pdf"), pagesize=A4, invariant=1)
        draw(page)
        page.save()
        if name in INSIDE:
            attach(HERE / name / "in.pdf", INSIDE[name])


def attach(path: Path, inside: tuple[tuple[str, str], ...]) -> None:
    """Put files of other cases into the PDF at `path`; their dates are fixed."""
    date = "D:20260302120000Z"
    with Pdf.open(path, allow_overwriting_input=True) as pdf:
        for name, source in inside:
            content = (SOURCES / source).read_bytes()
            pdf.attachments[name] = AttachedFileSpec(
                pdf, content, filename=name, creation_date=date, mod_date=date, relationship=Name.Data
            )
        pdf.save(path, deterministic_id=True)


if __name__ == "__main__":
    main()
