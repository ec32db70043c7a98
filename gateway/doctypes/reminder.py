"""Payment reminders."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

REMINDER = DocumentType(
    name="reminder",
    labels={"en": "Payment reminder", "fr": "Rappel de paiement", "de": "Mahnung", "sv": "Betalningspåminnelse"},
    roots={f"{{{UBL}Reminder-2}}Reminder": None},
    words=titles(None, "payment reminder", "reminder", "final notice", "overdue notice", "rappel de paiement", "rappel")
    | titles(None, "lettre de relance", "mise en demeure", "mahnung", "zahlungserinnerung", "betalningspåminnelse")
    | titles(None, "påminnelse", "kravbrev"),
)
