"""Why a document goes where it goes, and what was read in it, in the words of the screens' language."""

from __future__ import annotations

from tui.said import translated
from tui.saidnotes import NOTES
from tui.words import N_, _

TRACE = (  # in the order in which they are tried: the longer first
    N_("no customer number in the document"),
    N_("customer number {number} could be any of {which}"),
    N_("customer number {number}"),
    N_("row {number} for type {kind}, spelled {spelled} there"),
    N_("row {number} for type {kind} {why}"),
    N_("is for documents of type {kind}, this one is {other}"),
    N_("{why} (resolve.normalise is off)"),
    N_("is spelled differently"),
    N_("gives way to the better one"),
    N_("row {number} for type {kind}"),
    N_("no row for customer number {number} and type {kind}"),
    N_("no e-mail address in the document"),
    N_("address {address}"),
    N_("resolve.document_address is off: not used"),
    N_("copy left out: {why}"),
    N_("{address} comes after {first}"),
    N_("{count} addresses, more than {limit}"),
    N_("would give {addresses}"),
    N_("gives {addresses}, copy to {copies}"),
    N_("gives {addresses}"),
    N_("sent again to {addresses}"),
    N_("e-mail distribution is switched off for the company"),
    N_("e-mail distribution is switched off"),
    N_("the document's own {what}"),
    N_("e-mail address {address}"),
    N_("document type {kind}"),
)
RULES = {
    "customer_number": N_("by the directory"),
    "document_address": N_("by the address in the document"),
    "envelope": N_("by the envelope"),
    "person": N_("by a person"),
}
FIELDS = {
    "format": N_("Format"),
    "profile": N_("Profile"),
    "type": N_("Document type"),
    "subtype": N_("Kind"),
    "number": N_("Number"),
    "issue_date": N_("Issued"),
    "due_date": N_("Due"),
    "customer_numbers": N_("Customer numbers"),
    "emails": N_("E-mails"),
    "seller": N_("Seller"),
    "buyer": N_("Buyer"),
    "currency": N_("Currency"),
    "payable": N_("To pay"),
    "language": N_("Language"),
    "wrapped": N_("Wrapped in"),
}


def step_text(text: str) -> str:
    """What a step of the trace says."""
    return translated(text, (*TRACE, *NOTES))


def note_text(text: str) -> str:
    """What was odd in the document."""
    return translated(text, NOTES)


def where_text(where: str) -> str:
    """The place where a step looked: a path, or a word for the directory."""
    return _("in the directory") if where == "directory" else where


def rule_text(rule: str) -> str:
    """Which way won."""
    return _(RULES[rule]) if rule in RULES else rule


def field_text(name: str) -> str:
    """The name of what was read."""
    return _(FIELDS[name]) if name in FIELDS else name
