"""Words under which invoices in English, French, German and Swedish show their fields: the patterns of last resort.

Good enough to find a number; a source that says itself where its fields are replaces them, field by field. There is
none for e-mail addresses: the first one on a page is nearly always the sender's own.
"""

from __future__ import annotations

from gateway.model import Pattern


def _labels(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


DEFAULTS: tuple[Pattern, ...] = (
    Pattern(
        field="number",
        label=_labels(
            "Invoice number, Invoice no, Invoice nr, Invoice #, Invoice ID, Credit note number, "
            "Credit note no, Credit memo no, Document number, Document no, Numéro de facture, "
            "Numéro de la facture, Facture numéro, Facture n°, Facture no, N° de facture, N° facture, "
            "No de facture, Avoir n°, Numéro d'avoir, N° d'avoir, Rechnungsnummer, Rechnungs-Nummer, "
            "Rechnungs-Nr, Rechnungsnr, Rechnung Nr, Rechnung #, Rechnung Nummer, Rechnung-Nr, Gutschriftsnummer, "
            "Gutschrift Nr, Gutschrift-Nr, Belegnummer, Beleg-Nr, Fakturanummer, Faktura nummer, Fakturanr, "
            "Faktura nr, Kreditfaktura nr, Kreditnota nr"
        ),
    ),
    Pattern(
        field="customer_number",
        label=_labels(
            "Customer number, Customer no, Customer nr, Customer #, Customer ID, Customer code, "
            "Client number, Client no, Client ID, Numéro client, Numéro de client, N° client, N° de client, "
            "No client, Code client, Client n°, Kundennummer, Kunden-Nummer, Kunden-Nr, Kundennr, Kunden Nr, "
            "Kunde Nr, Kd.-Nr, Kd-Nr, Kundnummer, Kundnr, Kund nr, Kund-nr, Kund-ID"
        ),
    ),
    Pattern(
        field="issue_date",
        label=_labels(
            "Invoice date, Date of issue, Issue date, Credit note date, Document date, Date issued, "
            "Date de facture, Date de la facture, Date de facturation, Date d'émission, Date facture, "
            "Rechnungsdatum, Rechnungs-Datum, Ausstellungsdatum, Belegdatum, Gutschriftsdatum, Fakturadatum, "
            "Faktura datum"
        ),
    ),
    # Alone in front of its value: `Due date` and `Order date` end with the same word.
    Pattern(field="issue_date", regex=r"(?:^|  )(?:Date|Datum|Le)[ ]{0,3}:?[ ]{1,40}(\S(?:(?!  ).){0,30})"),
    Pattern(
        field="due_date",
        label=_labels(
            "Due date, Payment due date, Payment due, Due by, Pay by, Date d'échéance, Échéance, "
            "Date limite de paiement, À payer avant le, Fälligkeitsdatum, Fällig am, Fälligkeit, Zahlbar bis, "
            "Zahlbar bis zum, Förfallodatum, Förfallodag, Förfaller"
        ),
    ),
    Pattern(
        field="payable",
        label=_labels(
            "Amount due, Total amount due, Total due, Amount payable, Balance due, Invoice total, "
            "Grand total, Net à payer, Montant à payer, Total à payer, Total TTC, Montant TTC, Zahlbetrag, "
            "Zu zahlen, Zu zahlender Betrag, Rechnungsbetrag, Gesamtbetrag, Endbetrag, Att betala, "
            "Summa att betala, Belopp att betala"
        ),
    ),
    Pattern(field="currency", label=("Currency", "Devise", "Währung", "Valuta")),
)
