"""What hostile bytes are tried on: each target takes any bytes, and gives a value or our own error, or it is a bug.

The seeds of a target are the files in `seeds/NAME`: places to start from, and everything that ever failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway import mime, readers
from gateway.errors import Unreadable
from gateway.formats import ownpage
from gateway.mime import partial
from gateway.model import MailPattern, Pattern, ReadDocument, Reply
from gateway.readers import facturx, pdffields, pdfvalues
from gateway.readers.item import Item
from gateway.readers.pdftext import Box, Page, Word
from gateway.smtp import auth, commands
from gateway.smtp.data import DataStream
from tests.invoices import NOW

SEEDS = Path(__file__).parent / "seeds"
_PAGES = 3
_WORDS = 5_000  # of a page
_FIELDS = (*pdfvalues.SHAPES, "nothing-known")
_ON_PAGES = (
    Pattern(field="number", label=("Facture n°", "Belegnummer", "Invoice")),
    Pattern(field="customer_number", regex=r"(?i)k(?:und|unden-nr\.)?\W*(\w+)"),
    Pattern(field="payable", area=(0, 0, 210, 297)),
    Pattern(field="email", page=-1),
)
_MAIL = mime.Options(
    fields=(
        MailPattern(field="customer_number", where="rcpt"),
        MailPattern(field="number", where="subject", regex=r"(\w+)"),
        MailPattern(field="email", where="body", label=("A", "M A"), first=False),
    ),
    rcpt_to=("1001@gateway.example",),
    charsets=("utf-8", "cp850"),
    notice_subjects=("^t",),
)


def seeds(name: str) -> list[Path]:
    """The kept inputs of a target."""
    return sorted((SEEDS / name).iterdir())


def attempt(function: Callable[..., Any], *args: Any) -> Any:
    """What `function` gives; None when it refuses in a sentence."""
    try:
        return function(*args)
    except Unreadable as error:
        refused = error
    assert refused.sentence.endswith("."), refused.sentence
    return None


def smtp(data: bytes) -> None:
    """A dialogue, a line at a time: every line as a command's argument and as a password, all of it as content."""
    for line in data.split(b"\r\n")[:50]:
        text = line.decode("utf-8", "surrogateescape")
        for utf8 in (False, True):
            said = commands.mail(text.partition(" ")[2], extended=utf8, max_size=1000)
            assert isinstance(said, Reply | commands.Mail)
            named = commands.rcpt(text.partition(" ")[2], utf8=utf8, extended=True)
            assert isinstance(named, Reply | commands.Rcpt)
        decoded = auth.decode(text)
        if decoded is not None:
            auth.plain(decoded)
            auth.login(decoded, decoded)
    for lenient in (False, True):
        whole, pieces = DataStream(lenient=lenient, measure=True), DataStream(lenient=lenient, measure=True)
        content = whole.feed(data)
        cut = b""
        for at in range(0, len(data), 3):
            if pieces.ended:
                break
            cut += pieces.feed(data[at : at + 3])
        assert whole.ended == pieces.ended
        assert not whole.ended or content == cut
        assert b"\n" not in content.replace(b"\r\n", b"")


def mails(data: bytes) -> None:
    """A mail as it came, and as a piece of a larger one."""
    partial.join([data, data])
    taken_apart = attempt(mime.split, data, _MAIL)
    if taken_apart is None:
        return
    summary, parts, content = taken_apart
    assert msgspec.json.decode(msgspec.json.encode(summary), type=mime.MailSummary) == summary
    assert sum(part.size for part in parts) == len(content)
    assert all(part.name and not set(part.name) & set("/\\\r\n\0") for part in parts)


def documents(data: bytes) -> None:
    """A file, whatever it is."""
    found = attempt(readers.read, "name", "a/b", (), data)
    if found is None:
        return
    assert found
    assert msgspec.json.decode(msgspec.json.encode(found), type=list[ReadDocument]) == found


def pdfs(data: bytes) -> None:
    """A file that is a PDF, or was one: its pages by patterns, files inside it, and itself as a page of ours."""
    found = attempt(readers.read, "a.pdf", "application/pdf", _ON_PAGES, data)
    if found is not None:
        assert found
        assert msgspec.json.decode(msgspec.json.encode(found), type=list[ReadDocument]) == found
    embedded = facturx.embedded_in(Item(data=data))
    assert all(note.endswith(".") for note in embedded.notes), embedded.notes
    sound, why = ownpage.sound(data, NOW)
    assert (sound is None) == bool(why)
    for said in (*embedded.notes, why):  # in words of people
        assert not any(word in said for word in ("<_io", "__init__", "pikepdf")), said


def pdf_patterns(data: bytes) -> None:
    """JSON: `pages`, each a list of words (text, left, top, width in mm), and `patterns` as a source has them.

    What is no such JSON is one page of text, a line a line, with `regex` from its first line.
    """
    pages, patterns = _asked(data)
    fields = pdffields.Fields(patterns, len(pages), lambda number: pages[number - 1])
    for field in fields.hits:
        value = fields.value(field)
        assert value is not None
        assert len(value) <= 330, (field, len(value))
        assert len(fields.values(field)) <= pdffields.MAX_CANDIDATES
    for found in fields.evidence():
        assert found.where.startswith("page ")
    for field in ("issue_date", "due_date"):
        assert fields.value(field) is None or len(str(fields.value(field))) == 10
    assert all(note.endswith(".") for note in fields.notes)


def _asked(data: bytes) -> tuple[list[Page], list[Pattern]]:
    try:
        said = json.loads(data)
        pages = [page(number, words) for number, words in enumerate(said["pages"][:_PAGES], 1)]
        patterns = [msgspec.convert(each, Pattern) for each in said["patterns"][:10]]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        text = data.decode("utf-8", "replace")
        expression, _, rest = text.partition("\n")
        lines = rest.split("\n")[:200]
        words = [
            (word, 10 + 30 * at, 5 * row, 25) for row, line in enumerate(lines) for at, word in enumerate(line.split())
        ]
        pages = [page(1, words[:_WORDS])]
        patterns = [Pattern(field=field, regex=expression) for field in _FIELDS]
        patterns += [Pattern(field=field, label=(expression,)) for field in _FIELDS if expression.strip()]
    return pages or [page(1, [])], patterns


def page(number: int, words: list[Any]) -> Page:
    """A page of these words: text, left, top, width in mm."""
    made = []
    for text, left, top, width in words[:_WORDS]:
        box = Box(float(left), float(top), float(left) + abs(float(width)), float(top) + 4.0)
        made += [Word(str(text), box, float(top) + 3.0)] if str(text).split() == [str(text)] else []
    return Page(number, 210.0, 297.0, tuple(made))


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "pdf": pdfs,
    "smtp": smtp,
    "mime": mails,
    "xml": documents,
    "pdf-patterns": pdf_patterns,
}
