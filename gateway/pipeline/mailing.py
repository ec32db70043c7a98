"""What a mail says around its documents: the record that each of them keeps of it, and the fields it gives them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from gateway import address, doctypes
from gateway.errors import GatewayError
from gateway.mime import MailSummary, Part, Said
from gateway.model import Came, Fields, Found, ReadDocument, Step
from gateway.store.documents import ClaimedDocument, Finding

MAIL = "message/rfc822"
MAX_LEFT_OUT = 20  # files that the record names
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d")
_ODD = {
    "no_date": "the mail has no date of its own",
    "bad_date": "the mail's date is none",
    "no_message_id": "the mail has no Message-ID",
    "no_from": "the mail does not say who wrote it",
    "two_from": "the mail says twice who wrote it",
    "raw_header": "the mail's header has bytes that no standard allows, read by the source's charsets",
}


# --- the record ------------------------------------------------------------------------------------------


def came(summary: MailSummary, parts: Sequence[Part], place: int | None = None) -> Came:
    """The record of a document that is the part at `place` of the mail, or the mail itself."""
    steps = [_step(_mail(summary), "note", summary.message_id)]
    part = None if place is None else parts[place]
    if part is not None:
        steps.append(_step(part.name, "found", part.where))
        steps += [_step(f"{each.name} belongs to it", "found", each.where) for each in parts if each.extra_of == place]
    steps += _left_out([each for each in parts if each.left_out])
    steps += [_step(text, "note") for text in (*(_ODD[name] for name in summary.odd if name in _ODD), *summary.notes)]
    fault = None if part is None else part.fault
    if fault is None:
        return Came(steps=tuple(steps))
    return Came(steps=tuple(steps), cause=f"unreadable:{fault.cause}", sentence=fault.sentence)


def _left_out(parts: Sequence[Part]) -> list[Step]:
    steps = [_step(f"{each.name} is left out: {each.left_out}", "note", each.where) for each in parts[:MAX_LEFT_OUT]]
    more = len(parts) - MAX_LEFT_OUT
    return [*steps, _step(f"{more} more are left out", "note")] if more > 0 else steps


def _step(text: str, result: str, where: str = "") -> Step:
    return msgspec.convert({"rule": "mail", "text": text, "result": result, "where": where}, Step)


def _mail(summary: MailSummary) -> str:
    words = [f'mail "{summary.subject[:200]}"' if summary.subject else "mail without a subject"]
    words += [f"of {summary.from_address}"] if summary.from_address else []
    words += [f"dated {summary.date}"] if summary.date else []
    return " ".join(words)


def before(document: ClaimedDocument, found: Finding) -> Finding:
    """`found` with the record of the mail at the head of its trace."""
    return msgspec.structs.replace(found, trace=(*document.came.steps, *found.trace)) if document.came.steps else found


# --- the fields ------------------------------------------------------------------------------------------


def fields(given: Fields, summary: MailSummary) -> tuple[Fields, tuple[Step, ...]]:
    """`given` with what the mail says beside its documents; what is said and makes no sense is a step of the record."""
    values: dict[str, object] = {"reply_to": summary.from_address or None}
    origin: list[tuple[str, str]] = []
    otherwise: list[Found] = []
    wrong: list[Step] = []
    for said in summary.said:
        try:
            name, value = _value(said)
        except (GatewayError, ValueError):
            wrong.append(_step(f"{said.field} {said.value!r} is none", "missing", said.where))
            continue
        if said.first:
            values[name] = value
            origin.append((name, said.where))
        else:
            otherwise.append(Found(field=said.field, value=said.value, where=said.where))
    made = msgspec.structs.replace(given, **values, origin=(*given.origin, *origin), otherwise=tuple(otherwise))
    return made, tuple(wrong)


def _value(said: Said) -> tuple[str, object]:
    """The name of the field in `Fields` and its value; ValueError or a GatewayError when it is none."""
    if said.field == "email":
        addresses = tuple(address.parse(item) for item in address.split_list(said.value))
        if not addresses:
            raise ValueError(said.value)
        return "emails", addresses
    if said.field == "type":
        return "type", _type(said.value)
    if said.field == "issue_date":
        return "issue_date", _date(said.value)
    return said.field, said.value


def _type(text: str) -> str:
    """The document type that `text` names, by its own name or by a word that reveals it."""
    if text.lower() in doctypes.names():
        return text.lower()
    revealed = doctypes.reveal(text)
    if revealed is None:
        raise ValueError(text)
    return revealed[0].name


def _date(text: str) -> dt.date:
    for form in _DATES:
        try:
            return dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise ValueError(text)


def filled(reading: ReadDocument, given: Fields) -> ReadDocument:
    """`reading` with what the mail says of fields that the document lacks."""
    for found in given.otherwise:
        name, value = _value(Said(field=found.field, value=found.value, where=found.where, first=False))
        name, value = ("customer_numbers", (value,)) if name == "customer_number" else (name, value)
        if getattr(reading, name) in (None, (), "other"):
            evidence = (*reading.evidence, found)
            reading = msgspec.structs.replace(reading, **{name: value, "evidence": evidence})
    return reading
