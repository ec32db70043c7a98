"""Invoices of very many lines: the pages are set without rows and the rows drawn on them, or else all is set in parts.

Typst takes a millisecond and 180 kB of memory a row, and all rows at once.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.formats import drawnrows, faces
from gateway.formats.drawnrows import Drawing, Place
from gateway.formats.faces import Face

if TYPE_CHECKING:
    from pikepdf import Page, Pdf

ROWS = 400  # of one part
_COUNT = re.compile(rb"<xmpTPg:NPages>\d+</xmpTPg:NPages>")  # XMP specification part 2, §3.5
_FORGET = 11  # documents after which typst's cache has dropped what it knew of an earlier one
_DIGITS = frozenset(f"{number:02}" for number in range(100))


class Typst(NamedTuple):
    """What is asked of typst: the PDF of a page's data, the places marked on it, the PDF of a specimen in figures that
    are `tabular` or `proportional`, and to set an empty page."""

    page: Callable[[Mapping[str, Any]], bytes]
    places: Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]]
    specimen: Callable[[Sequence[str], str], bytes]
    nothing: Callable[[], object]


def is_long(data: Mapping[str, Any]) -> bool:
    """Whether the page of `data` has more rows than are set at once."""
    return len(data["lines"]["rows"]) > ROWS


def joined(data: Mapping[str, Any], typst: Typst) -> bytes:
    """All pages of `data` in one PDF."""
    with contextlib.ExitStack() as opened:
        return _drawn(data, typst, opened) or _set_in_parts(data, typst, opened)


# --- rows drawn on pages ---------------------------------------------------------------------------------


def _drawn(data: Mapping[str, Any], typst: Typst, opened: contextlib.ExitStack) -> bytes | None:
    """All pages of `data`; None where a row is too high for a page or its script needs more than glyphs in a row."""
    rows = data["lines"]["rows"]
    plain, tabular = drawnrows.words(rows)
    if any(row["tall"] for row in rows) or not faces.is_plain(plain | tabular):
        return None
    plain |= faces.words_of([data["page_alone"]]) | _DIGITS
    found = [
        Face(_opened(typst.specimen(faces.specimen(words), figures), opened), name)
        for words, figures, name in ((plain, "proportional", "P"), (tabular, "tabular", "T"))
    ]
    if not (found[0].has(plain) and found[1].has(tabular)):
        return None
    data = {**data, "lines": {**data["lines"], "widest": drawnrows.widest(rows, *found)}}
    without = {**data, "lines": {**data["lines"], "rows": []}}
    heads = [{**without, "part": _part(first=first, drawn=True)} for first in (True, False)]
    begins, goes_on = [{entry["name"]: _place(entry) for entry in typst.places(head)} for head in heads]
    made, usual = [typst.page(head) for head in heads]
    first, sheets, other = [_opened(page, opened) for page in (made, made, usual)]
    if len(first.pages) != begins["id"].page or len(other.pages) != 1:
        return None
    pages = list(Drawing(begins, data["lines"]["scale"], *found).pages(rows, begins["id"].y, goes_on["id"].y))
    for _ in range(len(first.pages) - 1):  # a head that is longer than a page
        pages.insert(0, (0, b""))
    shown = [
        drawnrows.number(data["page_alone"].replace("{page}", str(number)), begins["page"], found[0]) + drawn
        for number, (_, drawn) in enumerate(pages, 1)
    ]
    _fill(first, [*sheets.pages, *other.pages], {k: v for face in found for k, v in face.fonts.items()}, shown)
    rest = {**data["lines"], "rows": rows[pages[-1][0] :]}
    last = _opened(typst.page({**data, "lines": rest, "part": _part(last=True, before=len(pages))}), opened)
    first.pages.extend(last.pages)
    return _written(first)


def _part(first: bool = False, last: bool = False, before: int = 0, drawn: bool = False) -> dict[str, Any]:
    return {"first": first, "last": last, "before": before, "drawn": drawn}


def _place(entry: Mapping[str, Any]) -> Place:
    return Place(entry["page"], entry["x"], entry["y"], entry["width"])


def _fill(whole: Pdf, sheets: Sequence[Page], fonts: Mapping[str, Any], shown: Sequence[bytes]) -> None:
    """Draw what is `shown` on the pages of `whole`, and on more pages where it has no more; `sheets` lie below: one for
    each page that it has, and the last for all others."""
    from pikepdf import Dictionary, Name, Page, Stream

    own = Dictionary({name: whole.copy_foreign(font) for name, font in fonts.items()})
    below = [Dictionary(Sheet=whole.copy_foreign(sheet.as_form_xobject())) for sheet in sheets]
    resources = [whole.make_indirect(Dictionary(Font=own, XObject=sheet)) for sheet in below]
    for number, drawn in enumerate(shown):
        if number == len(whole.pages):
            page = Dictionary(Type=Name.Page, MediaBox=[*map(float, sheets[-1].MediaBox)])
            whole.pages.append(Page(whole.make_indirect(page)))
        page = whole.pages[number].obj
        page.Contents = Stream(whole, b"q /Sheet Do Q\n" + drawn)
        page.Resources = resources[min(number, len(resources) - 1)]


# --- everything set in parts -----------------------------------------------------------------------------


def parts(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`data` cut into pieces of its rows: the head on the first, what follows the rows on the last."""
    rows = data["lines"]["rows"]
    starts = range(0, len(rows), ROWS)
    for start in starts:
        place = {"first": start == 0, "last": start == starts[-1], "before": 0}
        yield {**data, "lines": {**data["lines"], "rows": rows[start : start + ROWS]}, "part": place}


def _set_in_parts(data: Mapping[str, Any], typst: Typst, opened: contextlib.ExitStack) -> bytes:
    whole: Pdf | None = None
    before = 0
    for part in parts(data):
        made = _opened(typst.page({**part, "part": {**part["part"], "before": before}}), opened)
        before += len(made.pages)
        if whole is None:
            whole = made
        else:
            whole.pages.extend(made.pages)
        for _ in range(_FORGET):
            typst.nothing()
    assert whole is not None
    return _written(whole)


def _opened(made: bytes, opened: contextlib.ExitStack) -> Pdf:
    from pikepdf import Pdf

    return opened.enter_context(Pdf.open(io.BytesIO(made)))


def _written(whole: Pdf) -> bytes:
    count = f"<xmpTPg:NPages>{len(whole.pages)}</xmpTPg:NPages>".encode()
    whole.Root.Metadata.write(_COUNT.sub(count, whole.Root.Metadata.read_bytes()))
    written = io.BytesIO()
    whole.save(written, deterministic_id=True)
    return written.getvalue()
