"""Sentences of the gateway that the screens show as they come: here so that they have translations too."""

from __future__ import annotations

from tui.words import N_, _

LABELS = {  # of settings, by key without its type and language; the vendor's words
    "distribution.active": N_("Activate e-mail distribution"),
    "resolve.document_address": N_("Send to e-mail address in document"),
    "resolve.order": N_("Which address wins"),
    "resolve.normalise": N_("Match numbers loosely"),
    "resolve.max_recipients": N_("Most addresses per document"),
    "sender.prefix": N_("Sender e-mail prefix"),
    "sender.name": N_("Sender name"),
    "sender.reply_to": N_("Reply-to address"),
    "format": N_("Format"),
    "on_loss": N_("What the format cannot hold"),
    "language": N_("Language"),
    "template.subject": N_("Subject"),
    "template.body": N_("Text"),
    "advanced": N_("Advanced company"),
}

SENTENCES = (
    N_("Documents leave by e-mail; when false they are accepted and held."),
    N_("Send to the e-mail address in the document; no row of the directory is needed then."),
    N_("Which way wins when the directory and the document both give an address."),
    N_("Match customer numbers without regard to leading zeros and case when none matches as written."),
    N_("A document that names more addresses than this is held."),
    N_("The part before the @ of the address that mails come from; the domain is the operator's."),
    N_("The name shown beside the sender's address."),
    N_("The address that answers go to."),
    N_("The format of documents of this type for recipients whose row names none."),
    N_("Whether a document that its format cannot hold waits (hold) or goes as PDF (fallback_pdf), which is noted."),
    N_("The language of mails to recipients whose row and document name none."),
    N_("The subject of mails with documents of this type in this language."),
    N_("The text of mails with documents of this type in this language."),
    N_("The company may choose formats, sender and answer address."),
    N_("Only an advanced company may choose this: set `advanced` true first."),
)

FORMATS = (  # labels of formats that are words; the others are names, the same in every language
    N_("As it came"),
    N_("CSV, a row per line"),
    N_("FatturaPA, as it came"),
    N_("Facturae, as it came"),
)


def setting_label(key: str, type_text: str) -> str:
    """A setting in words, with its document type and language."""
    words = key.split(".")
    if words[0] in ("format", "on_loss"):
        return f"{_(LABELS[words[0]])} · {type_text}"
    if words[0] == "template":
        return f"{_(LABELS[f'template.{words[3]}'])} · {type_text} · {words[2]}"
    return _(LABELS.get(key, key))
