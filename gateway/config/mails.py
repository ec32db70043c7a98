"""What a `[[source]]` says of its mails: their charsets, the fields in them, and which of them are no documents."""

from __future__ import annotations

import codecs
from typing import Any

from gateway.config import regexes
from gateway.config.table import Table
from gateway.mimeheader import CHARSETS
from gateway.model import MailPattern

KEYS = ("charset", "notices", "notice_subjects")
PLACES = ("document", "rcpt", "subject", "body")
_FIELDS = ("number", "customer_number", "email", "issue_date", "type")  # those that can be said beside a document


def mails(table: Table, fields: Table) -> dict[str, Any]:
    """The keys of the table as arguments of `Source`; `fields` is its `[source.fields]`."""
    return {
        "charset": _charsets(table),
        "notices": table.choice("notices", "finish", ("finish", "hold")),
        "notice_subjects": _subjects(table),
        "mail_patterns": tuple(_patterns(fields)),
    }


def _subjects(table: Table) -> tuple[str, ...]:
    patterns = table.texts("notice_subjects")
    for text in patterns:
        _groups(table, "notice_subjects", text)
    return patterns


def _charsets(table: Table) -> tuple[str, ...]:
    names = table.texts("charset", most=40) or CHARSETS
    for name in names:
        try:
            sound = b"Az09 @".decode(name) == "Az09 @" and codecs.lookup(name).name != "idna"
        except (LookupError, UnicodeError, TypeError, ValueError):
            sound = False
        if not sound:
            table.fail("charset", f'source.charset: "{name}" is no charset that holds ASCII, such as utf-8 or cp850.')
    return names


def tables(fields: Table, known: tuple[str, ...]) -> list[tuple[str, Table]]:
    """Each pattern of `[source.fields]` with its field: there may be one table, or a list of them."""
    found: list[tuple[str, Table]] = []
    for field, value in fields.values.items():
        several = fields.tables(field, known) if isinstance(value, list) else [fields.table(field, known)]
        found += [(field, table) for table in several]
    return found


def is_of_mail(table: Table) -> bool:
    """Whether a pattern looks into the mail, or only marks the place of the document among those that do."""
    return table.choice("where", "document", PLACES) != "document" or set(table.values) == {"where"}


def refuse_in_folder(fields: Table, known: tuple[str, ...]) -> None:
    """Refuse patterns that look into a mail for a source that has none."""
    for _, table in tables(fields, known):
        if "where" in table:
            table.fail("where", f"{table.name('where')} is only for a source with networks or a user.")


def _patterns(fields: Table) -> list[MailPattern]:
    found: list[MailPattern] = []
    after_document: set[str] = set()
    for field, table in tables(fields, ("label", "regex", "page", "area", "where")):
        where = table.choice("where", "document", PLACES)
        if where == "document":
            after_document.add(field)
            continue
        found.append(
            MailPattern(
                field=_sayable(table, field),
                where=where,
                label=table.texts("label", most=100),
                regex=_one_group(table),
                first=field not in after_document,
            )
        )
    return found


def _sayable(table: Table, field: str) -> str:
    if field not in _FIELDS:
        table.fail("where", f"{table.name('where')}: {field} is looked for in documents only.")
    for key in ("page", "area"):
        if key in table:
            table.fail(key, f"{table.name(key)} means nothing in a mail.")
    if "label" in table and "regex" in table:
        table.fail("regex", f"{table.name('regex')}: a label stands beside it, and one of them is enough.")
    if table.values["where"] != "rcpt" and "label" not in table and "regex" not in table:
        table.fail("where", f"{table.name('where')} needs a label or a regex: where in the {table.values['where']}?")
    return field


def _one_group(table: Table) -> str | None:
    if "regex" not in table:
        return None
    text = table.text("regex", "")
    if _groups(table, "regex", text) != 1:
        table.fail("regex", f"{table.name('regex')} must have exactly one group ( ): what it holds is the value.")
    return text


def _groups(table: Table, key: str, text: str) -> int:
    """How many groups the regular expression `text` of `key` has."""
    try:
        return regexes.check(text)[0]
    except ValueError as error:
        table.fail(key, f"{table.name(key)} {error}.")
