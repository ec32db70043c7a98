"""Why documents are held, in words."""

from __future__ import annotations

from tui.words import N_, _

CAUSES = {
    "no-recipient": N_("no recipient for customer"),
    "no-customer-number": N_("no customer number found"),
    "no-document": N_("no document in the mail"),
    "ambiguous-recipient": N_("several recipients fit the number"),
    "bad-address": N_("an address that cannot be used"),
    "too-many-recipients": N_("too many recipients"),
    "distribution-off": N_("distribution is off"),
    "conversion": N_("cannot be converted"),
    "template": N_("the template cannot be filled in"),
    "unreadable": N_("cannot be read"),
    "incomplete": N_("a piece of a mail is missing"),
    "unsigned": N_("cannot be signed"),
    "internal": N_("a fault of the gateway"),
}


def cause_text(cause: str) -> str:
    """A cause's key in words."""
    name = cause.partition(":")[0]
    return _(CAUSES[name]) if name in CAUSES else name.replace("-", " ")
