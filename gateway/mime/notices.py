"""Mails that are no documents and wait for nobody: reports on mail, machines that answer, devices with an alert.

Headers are believed where a standard gives them this meaning. Words in a subject are believed only of a mail that
brings no file, so that a document is never taken for a notice; the source's `notice_subjects` are believed always.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from gateway.mime.values import Leaf, MailSummary, Notice
from gateway.mimeheader import Headers

_SECONDS = 0.2  # an operator's regex may run so long over a subject

_RETURNED = regex.compile(
    r"undeliver|delivery status notification|delivery (?:has )?fail|returned mail|failure notice|mail delivery failed|"
    r"unzustellbar|non remis|échec de (?:la )?remise|kunde inte levereras|olevererbar",
    regex.IGNORECASE,
)
_READ = regex.compile(
    r"^\s*(?:read|gelesen|lu|läst|return receipt|lesebestätigung|accusé de (?:réception|lecture)|läskvitto)\s*[:(]",
    regex.IGNORECASE,
)
_ANSWERED = regex.compile(
    r"^\s*(?:automatic reply|auto(?:matische)?[ -]?(?:reply|antwort)|out of (?:the )?office|abwesenheitsnotiz|"
    r"réponse automatique|absence du bureau|autosvar|automatiskt svar|frånvaro)\b",
    regex.IGNORECASE,
)
_SUPPLY = r"(?:toner|ink|cartridge|drum|fuser|staples?|paper|waste box|papier|cartouche|encre|färgpulver|papper)"
_STATE = (
    r"(?:low|empty|near|ends?|out|replace\w*|exhausted|jam\w*|full|missing|leer|niedrig|ersetzen|wechseln|fast leer|"
    r"bas\w*|vide|épuisé\w*|remplace\w*|slut|låg|byt|byta|tom)"
)
_DEVICE = regex.compile(
    rf"\b{_SUPPLY}\b.{{0,40}}\b{_STATE}\b|\b(?:low|replace|out of|no|empty|kein|wenig|plus de|slut på)\s+{_SUPPLY}\b|"
    r"\b(?:papierstau|tonerstand|bourrage papier|papperstrassel|service call|maintenance (?:kit|alert|required)|"
    r"(?:device|printer|mfp|copier|scanner|machine) (?:alert|status|error|warning|notification)|gerätewarnung|"
    r"counter (?:report|notification)|meter reading|zählerstand|relevé (?:de )?compteurs?|räkneverk)\b",
    regex.IGNORECASE,
)
_TEST = regex.compile(
    r"^\s*(?:(?:smtp|e-?mail|mail|scanner|scan|connection|send|printer)[ -]*test\w*|test[ -]*"
    r"(?:e-?mail|mail|message|print|page|scan|nachricht|meddelande)\w*|testmail|testnachricht|(?:message|mail) de test|"
    r"test)\s*[.!]*\s*$",
    regex.IGNORECASE,
)
_MACHINES = ("mailer-daemon@", "postmaster@")


def find(
    headers: Headers, summary: MailSummary, leaves: Sequence[Leaf], is_document: bool, patterns: Sequence[str]
) -> Notice | None:
    """What notice the mail is, None when it is none; `is_document` when it brings a file that may be a document."""
    report = _report(headers, () if is_document else leaves)
    if report is not None:
        return report
    if summary.auto_submitted == "auto-replied" or headers.first("x-autoreply") or headers.first("x-autorespond"):
        return Notice(kind="auto-reply", sentence="The mail is the answer of a machine and no document.")
    for pattern in patterns:
        if _meets(pattern, summary.subject):
            sentence = "The mail's subject is one that this source's notice_subjects name: it is no document."
            return Notice(kind="subject", sentence=sentence)
    return None if is_document else _by_subject(summary)


def _report(headers: Headers, leaves: Sequence[Leaf]) -> Notice | None:
    """RFC 3462 §3, 3464, 8098; mailers that do not know of multipart/report send the parts all the same."""
    media_type, parameters = headers.parameters("content-type")
    kind = parameters.get("report-type", "").lower() if media_type == "multipart/report" else ""
    types = {leaf.media_type for leaf in leaves}
    if kind == "disposition-notification" or "message/disposition-notification" in types:
        return Notice(kind="receipt", sentence="The mail is a receipt for another mail and no document.")
    if kind or "message/delivery-status" in types or headers.first("x-failed-recipients"):
        return Notice(kind="bounce", sentence="The mail is a report on the delivery of another mail and no document.")
    return None


def _by_subject(summary: MailSummary) -> Notice | None:
    subject = summary.subject
    if _RETURNED.search(subject) and (
        summary.null_return_path or summary.from_address.lower().startswith(_MACHINES) or summary.is_automatic
    ):
        return Notice(kind="bounce", sentence="The mail is a report on the delivery of another mail and no document.")
    if _READ.search(subject):
        return Notice(kind="receipt", sentence="The mail is a receipt for another mail and no document.")
    if _ANSWERED.search(subject):
        return Notice(kind="auto-reply", sentence="The mail is the answer of a machine and no document.")
    if _TEST.search(subject):
        return Notice(kind="device", sentence="The mail is a test and no document.")
    if _DEVICE.search(subject):
        return Notice(kind="device", sentence="The mail is a device's message about itself and no document.")
    return None


def _meets(pattern: str, subject: str) -> bool:
    """Whether an operator's regex is in the subject; one that takes too long is not."""
    try:
        return regex.search(pattern, subject, timeout=_SECONDS) is not None
    except TimeoutError:
        return False
