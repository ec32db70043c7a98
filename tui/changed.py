"""What a change changed: field by field, what stood there and what stands there now."""

from __future__ import annotations

from tui.words import N_, _

TYPES = {
    "invoice": N_("Invoice"),
    "order": N_("Order"),
    "order_response": N_("Order response"),
    "despatch_advice": N_("Despatch advice"),
    "reminder": N_("Reminder"),
    "statement": N_("Statement"),
    "catalogue": N_("Catalogue"),
    "invoice_response": N_("Invoice response"),
    "receipt_advice": N_("Goods receipt"),
    "delivery_forecast": N_("Delivery forecast"),
    "transport_instruction": N_("Transport instruction"),
    "transport_instruction_response": N_("Answer to a transport instruction"),
    "utility_statement": N_("Utility statement"),
    "other": N_("Other"),
    "any": N_("Any"),
}
_NAMES = {
    "number": N_("number"),
    "email": N_("e-mail"),
    "cc": N_("copy"),
    "type": N_("type"),
    "name": N_("name"),
    "language": N_("language"),
    "format": N_("format"),
    "attach": N_("attachments"),
    "file_name": N_("file name"),
    "constants": N_("constants"),
    "file": N_("file"),
    "what": N_("looked at"),
}
_LOOKED = {
    "document": N_("the document"),
    "original": N_("the original file"),
    "text": N_("the file's text"),
    "message": N_("the message"),
}


_FIELDS = {  # of a refusal, that `_NAMES` does not know
    "document type": N_("document type"),
    "format to choose": N_("format"),
    "way to attach": N_("attachments"),
    "customer number": N_("customer number"),
    "e-mail address": N_("e-mail address"),
}


def field_text(name: str) -> str:
    """A field of a recipient in words, as refusals call it."""
    return _({**_NAMES, **_FIELDS}.get(name, name))


def type_text(name: object) -> str:
    """A document type in words."""
    return _(TYPES.get(str(name), str(name))) if name else ""


def emails(value: object) -> str:
    """Addresses in one line."""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value or "")


def short_emails(value: object) -> str:
    """The first address, and how many more there are."""
    if not isinstance(value, (list, tuple)) or len(value) < 2:
        return emails(value)
    return f"{value[0]} +{len(value) - 1}"


def changes(before: object, after: object) -> list[str]:
    """What differs between two sets of values, one line each; of something new or gone, what it has."""
    old = before if isinstance(before, dict) else {"": before} if before is not None else {}
    new = after if isinstance(after, dict) else {"": after} if after is not None else {}
    lines = []
    for name in dict.fromkeys([*old, *new]):
        was, becomes = _value(name, old.get(name)), _value(name, new.get(name))
        if was != becomes and name not in ("version", "sha256"):
            both = f"{was or '–'} → {becomes or '–'}" if old and new else was or becomes
            lines.append(f"{_(_NAMES.get(name, name)) if name else ''} {both}".strip())
    return lines


def _value(name: str, value: object) -> str:
    if name == "what" and value:
        return _(_LOOKED.get(str(value), str(value)))
    return type_text(value) if name == "type" else emails(value)
