"""What a person reads of a file on a screen without pictures: the lines of its text."""

from __future__ import annotations

import re

import pypdfium2

from gateway.readers.pdf import is_pdf, open_pdf
from gateway.readers.pdftext import read_page

LINES = 5000  # nobody scrolls further on a screen
PAGES = 50


def lines_of_text(data: bytes) -> list[str]:
    """At most `LINES` lines: a PDF's as they stand on its pages, XML with one element a line, else as it is.

    Unreadable when it is a PDF that cannot be opened.
    """
    lines = _of_pdf(data) if is_pdf(data) else _of_characters(data)
    return lines[:LINES]


def _of_pdf(data: bytes) -> list[str]:
    document = open_pdf(data)
    lines: list[str] = []
    try:
        for number in range(1, min(len(document), PAGES) + 1):
            lines += [] if number == 1 else ["", f"— {number} —", ""]
            lines += [line.text for line in read_page(document, number).lines()]
            if len(lines) > LINES:
                break
    except pypdfium2.PdfiumError as error:
        lines.append(f"[{str(error)[:200]}]")
    finally:
        document.close()
    return lines


def _of_characters(data: bytes) -> list[str]:
    text = data[: LINES * 400].decode("utf-8", "replace")
    if text.lstrip("\ufeff \r\n\t").startswith("<") and text.count("\n") < 3:
        text = re.sub(r">\s*<", ">\n<", text)
    return text.splitlines()
