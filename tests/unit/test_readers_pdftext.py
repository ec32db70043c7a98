"""Words, cells and lines of a PDF page, from letters as programs place them. What patterns find there is in
`test_readers_pdf`."""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Iterator

import pytest
from pypdfium2 import raw

from gateway.model import Pattern
from gateway.readers import read
from gateway.readers.pdf import open_pdf
from gateway.readers.pdfletters import MAX_CHARACTERS
from gateway.readers.pdftext import MM, Box, Line, read_page

WIDTH, HEIGHT = 600, 800
_NAMED = {"q": "200B", "w": "FB01", "x": "D83DDE00", "z": "00AD"}  # of the second font: no letters of a keyboard
_LONE = {"v": "D800"}  # of the third: no characters at all


def pdf(drawn: str, rotate: int = 0, crop: tuple[int, int, int, int] = (0, 0, WIDTH, HEIGHT)) -> bytes:
    """A page on which `drawn` (operators of a text object, ISO 32000-1 §9.4) stands; F1 to F3 are its fonts."""
    page = zlib.compress(f"BT {drawn} ET".encode("latin-1"))
    fonts = "/F1 4 0 R /F2 6 0 R /F3 8 0 R"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /CropBox [{' '.join(map(str, crop))}]"
        f" /Rotate {rotate} /Contents 5 0 R /Resources << /Font << {fonts} >> >> >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(page), page),
        _font(7),
        _to_unicode(_NAMED),
        _font(9),
        _to_unicode(_LONE),
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _font(to_unicode: int) -> bytes:
    return b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode %d 0 R >>" % to_unicode


def _to_unicode(named: dict[str, str]) -> bytes:
    pairs = "\n".join(f"<{ord(letter):02X}> <{code}>" for letter, code in named.items())
    text = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n/CMapName /T def /CMapType 2 def\n"
        "1 begincodespacerange\n<00> <FF>\nendcodespacerange\n"
        f"{len(named)} beginbfchar\n{pairs}\nendbfchar\nendcmap end end"
    ).encode()
    return b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text)


def lines_of(data: bytes) -> list[Line]:
    document = open_pdf(data)
    try:
        return read_page(document, 1).lines()
    finally:
        document.close()


def texts(drawn: str) -> list[list[str]]:
    """The cells of each line."""
    lines = lines_of(pdf(drawn))
    for line in lines:
        for cell in line.cells:
            assert cell.text == " ".join(word.text for word in cell.words)
            assert cell.box == Box.around(word.box for word in cell.words)
    return [[cell.text for cell in line.cells] for line in lines]


CASES = {
    "blanks": ("/F1 10 Tf 50 700 Td (Invoice  no 17) Tj", [["Invoice no 17"]]),
    "a word goes on in a larger size": ("/F1 10 Tf 50 700 Td (Inv) Tj /F1 12 Tf (oice) Tj", [["Invoice"]]),
    "and in a smaller one": ("/F1 12 Tf 50 700 Td (Inv) Tj /F1 6 Tf (oice) Tj", [["Invoice"]]),
    "and a little higher": ("/F1 10 Tf 50 700 Td (Inv) Tj 4 Ts (oice) Tj", [["Invoice"]]),
    "what stands much higher is another line": ("/F1 10 Tf 50 700 Td (Inv) Tj 9 Ts (oice) Tj", [["oice"], ["Inv"]]),
    "higher by steps, a word each": (
        "/F1 10 Tf 50 700 Td (aaa) Tj 3 Ts (bbb ccc) Tj 7 Ts (ddd) Tj",
        [["aaabbb cccddd"]],
    ),
    "higher by steps in one word": ("/F1 10 Tf 50 700 Td (aaa) Tj 3 Ts (bbb) Tj 7 Ts (ddd) Tj", [["ddd"], ["aaabbb"]]),
    "a word in each size": ("/F1 10 Tf 50 700 Td (Total ) Tj /F1 12 Tf (due) Tj", [["Total due"]]),
    "back where the size changes": ("/F1 10 Tf 50 700 Td [(aa) 2137 (bb)] TJ /F1 13 Tf (aa) Tj", [["aabb a"]]),
    "a small ending, raised": ("/F1 20 Tf 50 700 Td (17) Tj /F1 6 Tf 5 Ts (th) Tj", [["17th"]]),
    "one top, two sizes": ("/F1 10 Tf 50 700 Td (small ) Tj /F1 20 Tf -9.45 Ts (Big) Tj", [["small"], ["Big"]]),
    "up the side": ("/F1 10 Tf 0 1 -1 0 300 600 Tm (Ab cd) Tj", [["d"], ["c"], ["b"], ["A"]]),
    "mirrored": ("/F1 -10 Tf -1 0 0 -1 50 700 Tm (Invoice) Tj", [["Invoice"]]),
    "spaced out": ("/F1 10 Tf 50 700 Td 5 Tc (INVOICE) Tj", [["I N V O I C E"]]),
    "a little": ("/F1 10 Tf 50 700 Td 2 Tc (INVOICE) Tj", [["INVOICE"]]),
    "spaced out into columns": ("/F1 10 Tf 50 700 Td 15 Tc (AB) Tj", [["A", "B"]]),
    "set so close that letters overlap": ("/F1 10 Tf 50 700 Td -6 Tc (ABAB) Tj", [["ABAB"]]),
    "set backwards": ("/F1 10 Tf 50 700 Td -40 Tc (AB) Tj", [["B", "A"]]),
    "the right column first": ("/F1 10 Tf 200 700 Td (17) Tj -150 0 Td (Invoice) Tj", [["Invoice", "17"]]),
    "back over the blank": ("/F1 10 Tf 50 700 Td [(a) 1512 ( b)] TJ", [["b a"]]),
    "the second word first": ("/F1 10 Tf 62 700 Td (22) Tj -9 0 Td (1) Tj", [["1 22"]]),
    "the lower line first": ("/F1 10 Tf 50 600 Td (below) Tj 0 50 Td (above) Tj", [["above"], ["below"]]),
    "ligatures": ("/F2 10 Tf 50 700 Td (wnal) Tj", [["final"]]),
    "a hyphen that need not be there": ("/F2 10 Tf 50 700 Td (EzMail) Tj", [["E-Mail"]]),
    "no width": ("/F2 10 Tf 50 700 Td (Inqvoice) Tj", [["Invoice"]]),
    "a word of no width": ("/F2 10 Tf 50 700 Td (a q b) Tj", [["a b"]]),
    "a line of no width": ("/F2 10 Tf 50 700 Td (q) Tj 0 -50 Td (b) Tj", [["b"]]),
    "beyond the first plane": ("/F2 10 Tf 50 700 Td (axb) Tj", [["a b"]]),
    "half a pair": ("/F3 10 Tf 50 700 Td (avb) Tj", [["a b"]]),
    "nothing": ("", []),
}


@pytest.mark.parametrize("case", CASES)
def test_letters_become_words_cells_and_lines(case: str) -> None:
    drawn, expected = CASES[case]
    assert texts(drawn) == expected


# --- where they stand ---

_UPRIGHT = {0: "1 0 0 1 100 650", 90: "0 1 -1 0 150 100", 180: "-1 0 0 -1 500 150", 270: "0 -1 1 0 450 700"}


@pytest.mark.parametrize("rotate", _UPRIGHT)
def test_a_page_reads_as_it_is_shown_whatever_its_rotation(rotate: int) -> None:
    (line,) = lines_of(pdf(f"/F1 10 Tf {_UPRIGHT[rotate]} Tm (Invoice no) Tj 60 0 Td (17) Tj", rotate))
    assert [cell.text for cell in line.cells] == ["Invoice no", "17"]
    left, top, right, bottom = line.box
    assert (left, bottom) == (pytest.approx(100 * MM, abs=0.1), pytest.approx((150 + 2.3) * MM, abs=0.3))
    assert (right - left, bottom - top) == (pytest.approx(71 * MM, abs=0.5), pytest.approx(11.7 * MM, abs=0.2))


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_boxes_are_measured_from_the_corner_of_the_crop_box(rotate: int) -> None:
    drawn = f"/F1 10 Tf {_UPRIGHT[rotate]} Tm (17) Tj"
    (whole,), (cut,) = (lines_of(pdf(drawn, rotate, crop)) for crop in ((0, 0, 600, 800), (30, 40, 550, 740)))
    right, down = {0: (30, 60), 90: (40, 30), 180: (50, 40), 270: (60, 50)}[rotate]
    assert [round((a - b) / MM) for a, b in zip(whole.box, cut.box, strict=True)] == [right, down, right, down]


def test_mirrored_text_has_boxes_too() -> None:
    (line,) = lines_of(pdf("/F1 10 Tf -1 0 0 1 200 700 Tm (17) Tj"))
    assert line.box.left < line.box.right
    assert line.box.right == pytest.approx(200 * MM, abs=0.1)


def letter_boxes(data: bytes) -> Iterator[tuple[str, Box]]:
    """Each letter's box, as pdfium says it."""
    document = open_pdf(data)
    text = document[0].get_textpage()
    for index in range(text.count_chars()):
        rectangle = raw.FS_RECTF()
        raw.FPDFText_GetLooseCharBox(text, index, ctypes.byref(rectangle))
        letter = chr(raw.FPDFText_GetUnicode(text, index))
        sides = rectangle.left, HEIGHT - rectangle.top, rectangle.right, HEIGHT - rectangle.bottom
        yield letter, Box(*(side * MM for side in sides))


def test_a_words_box_is_that_of_its_letters_and_a_cells_that_of_its_words() -> None:
    data = pdf("/F1 10 Tf 50 700 Td (Inv) Tj /F1 14 Tf -1 Ts (oice) Tj 0 Ts ( no) Tj /F1 10 Tf 2 Ts (17) Tj")
    boxes = [box for letter, box in letter_boxes(data) if letter not in " \r\n"]
    (line,) = lines_of(data)
    (cell,) = line.cells
    assert [word.text for word in cell.words] == ["Invoice", "no17"]
    for word, letters in zip(cell.words, (boxes[:7], boxes[7:]), strict=True):
        assert word.box == pytest.approx(Box.around(letters), abs=0.01)
    assert cell.box == pytest.approx(Box.around(boxes), abs=0.01)


def test_an_area_takes_words_out_of_a_line() -> None:
    data = pdf("/F1 10 Tf 50 700 Td (Customer C-17 of ours) Tj")
    (line,) = lines_of(data)
    box = line.cells[0].words[1].box
    pattern = Pattern(field="customer_number", area=(box.left - 1, box.top - 1, box.right + 1, box.bottom + 1))
    (document,) = read("", "", (pattern,), data)
    assert document.customer_numbers == ("C-17",)


def test_letters_beyond_the_most_of_a_page_are_left_out() -> None:
    drawn = "/F1 1 Tf 1 TL 10 790 Td " + "(" + "a" * 500 + ") Tj T* " * 1
    data = pdf(drawn + " ".join("(" + "a" * 500 + ") Tj T*" for _ in range(MAX_CHARACTERS // 500)))
    letters = sum(len(line.text.replace(" ", "")) for line in lines_of(data))
    assert MAX_CHARACTERS * 0.98 < letters <= MAX_CHARACTERS
