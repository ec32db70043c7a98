"""Invoices of very many lines: set part by part and joined, since setting all at once takes 180 kB of memory a line."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

ROWS = 400  # of one part
_COUNT = re.compile(rb"<xmpTPg:NPages>\d+</xmpTPg:NPages>")  # XMP specification part 2, §3.5
_FORGET = 11  # documents after which typst's cache has dropped what it knew of an earlier one


def is_long(data: Mapping[str, Any]) -> bool:
    """Whether the page of `data` has more rows than are set at once."""
    return len(data["lines"]["rows"]) > ROWS


def parts(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`data` cut into pieces of its rows: the head on the first, what follows the rows on the last."""
    rows = data["lines"]["rows"]
    starts = range(0, len(rows), ROWS)
    for start in starts:
        place = {"first": start == 0, "last": start == starts[-1], "before": 0}
        yield {**data, "lines": {**data["lines"], "rows": rows[start : start + ROWS]}, "part": place}


def joined(data: Mapping[str, Any], set_: Callable[[Mapping[str, Any]], bytes], forget: Callable[[], object]) -> bytes:
    """The pages of all parts of `data`, as `set_` makes them, in one PDF; `forget` sets an empty page."""
    from pikepdf import Pdf

    with contextlib.ExitStack() as opened:
        whole: Pdf | None = None
        before = 0
        for part in parts(data):
            made = opened.enter_context(
                Pdf.open(io.BytesIO(set_({**part, "part": {**part["part"], "before": before}})))
            )
            before += len(made.pages)
            if whole is None:
                whole = made
            else:
                whole.pages.extend(made.pages)
            for _ in range(_FORGET):
                forget()
        assert whole is not None
        count = f"<xmpTPg:NPages>{before}</xmpTPg:NPages>".encode()
        whole.Root.Metadata.write(_COUNT.sub(count, whole.Root.Metadata.read_bytes()))
        written = io.BytesIO()
        whole.save(written, deterministic_id=True)
    return written.getvalue()
