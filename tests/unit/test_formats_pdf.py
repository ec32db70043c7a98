"""`gateway.formats.pdf`: the page as a reader of PDF finds it: text, positions, PDF/A-3b, the original inside."""

import datetime as dt
import io
from decimal import Decimal as D

import msgspec
import pikepdf
import pytest

from gateway.en16931 import Address, Invoice, Note, Party, Reference, VatBreakdown
from gateway.model import Attachment
from tests import pdf_text
from tests.invoices import NOW, SELLER, SOURCE, invoice, line, pdf

FRENCH = msgspec.structs.replace(SELLER, address=Address(line1="1 quai", post_code="69009", city="Lyon", country="FR"))


def test_it_is_pdf_a_3b_with_the_colours_said():
    with pikepdf.open(io.BytesIO(pdf(invoice()))) as document:
        with document.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
            assert metadata["dc:title"] == "Invoice F-1042"
        (intent,) = document.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert intent.DestOutputProfile.read_bytes()
        assert document.Root.Lang == "en"
        assert document.Root.MarkInfo.Marked


def test_every_font_is_inside():
    with pikepdf.open(io.BytesIO(pdf(invoice()))) as document:
        fonts = [entry for entry in document.objects if isinstance(entry, pikepdf.Dictionary) and "/FontName" in entry]
        assert fonts
        assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(font.keys()) for font in fonts)


def test_the_original_is_attached_byte_for_byte():
    source = Attachment(name="F-1042.xml", media_type="application/xml", content=b"\xef\xbb\xbf<a>\r\n\x00\xff</a>")
    with pikepdf.open(io.BytesIO(pdf(invoice(), source=source))) as document:
        (attached,) = document.attachments.values()
        assert attached.get_file().read_bytes() == source.content
        assert attached.filename == "F-1042.xml"
        assert attached.obj.AFRelationship == "/Source"
        assert attached.obj.EF.F.Subtype == "/application/xml"
        assert document.Root.AF[0].objgen == attached.obj.objgen


@pytest.mark.parametrize(
    ("name", "stored"),
    [("../../etc/pass wd", "pass-wd"), ("räkning 1.xml", "r-kning-1.xml"), ("", "source.xml"), ("..", "source.xml")],
)
def test_the_attached_files_name_is_safe(name, stored):
    with pikepdf.open(io.BytesIO(pdf(invoice(), source=msgspec.structs.replace(SOURCE, name=name)))) as document:
        assert [entry.filename for entry in document.attachments.values()] == [stored]


def test_the_same_values_give_the_same_bytes():
    assert pdf(invoice()) == pdf(invoice())
    elsewhere = NOW.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert pdf(invoice(), now=elsewhere) == pdf(invoice())
    assert pdf(invoice(), now=NOW + dt.timedelta(seconds=1)) != pdf(invoice())


def test_dates_in_the_file_are_those_passed():
    with pikepdf.open(io.BytesIO(pdf(invoice()))) as document:
        assert str(document.docinfo.CreationDate) == str(document.docinfo.ModDate) == "D:20261124093005Z"


def test_the_language_is_the_documents_when_none_is_asked_for():
    from gateway import formats
    from tests.invoices import read

    made = formats.convert(read(invoice(), language="fr"), SOURCE, "pdf", formats.Options(language="", now=NOW))
    assert "Net à payer" in pdf_text.pages(made.content)[0]


LITERAL = (
    "#panic()", "$x^2$", "@ref", "*bold* _it_ `code`", "\\u{41} \\", "// no comment", "/* none */", "#import \"x\"",
    "-> => 2x4 --- ...", "<label>", "= title", "- item", "~", '"quotes" \'single\'', "{page} {pages}", "#sys.inputs",
)  # fmt: skip


@pytest.mark.parametrize("text", LITERAL)
def test_texts_come_out_as_they_are(text):
    content = invoice(
        number=text,
        notes=(Note(text=text),),
        seller=msgspec.structs.replace(SELLER, name=text),
        payment_terms=text,
        lines=(line(1, name=text, note=text, unit=text, seller_item_id=text),),
    )
    shown = " ".join(pdf_text.pages(pdf(content)))
    assert shown.replace("\n", " ").count(text) >= 6


def test_values_cannot_reach_the_page_number_or_the_labels():
    seller = msgspec.structs.replace(SELLER, name="{page} Ltd", legal_form="{pages}")
    shown = pdf_text.pages(pdf(invoice(seller=seller)))[0]
    assert "Page 1 of 1" in shown
    assert "{pages}" in shown


def test_characters_without_a_glyph_are_boxes_and_listed():
    shown = pdf_text.pages(pdf(invoice(lines=(line(1, name="株式 Ελλάδα Łódź Київ"),))))[0]
    assert "□□ Ελλάδα Łódź Київ" in shown
    assert "U+682A, U+5F0F" in shown


def test_decimal_marks_of_a_column_stand_under_each_other():
    figures = (("7", "18.5", "5"), ("2.5", "1249", "-3122.5"), ("0.125", "0.0425", "0.0053"), ("12000", "9", "84000"))
    lines = tuple(
        line(number, quantity=D(quantity), price=D(price), amount=D(amount), vat_rate=D("25.5") / number)
        for number, (quantity, price, amount) in enumerate(figures, 1)
    )
    placed = pdf_text.words(pdf(invoice(lines=lines)))
    columns = (
        ("7", "2.5", "0.125", "12,000"),
        ("18.50", "1,249.00", "0.0425", "9.00"),
        ("25.5", "12.75", "8.5", "6.375"),
        ("5.00", "−3,122.50", "0.0053", "84,000.00"),
    )
    for column in columns:
        ends = [whole_end(placed, text) for text in column]
        assert max(ends) - min(ends) < 0.02, column


def whole_end(placed, text):
    """Where the digits before the decimal mark end."""
    (word,) = (word for word in placed if word.text == text)
    return word.ends[len(text.partition(".")[0]) - 1]


@pytest.mark.parametrize(("seller", "left", "top"), [(SELLER, 25, 62.7), (FRENCH, 110, 50)])
def test_the_address_stands_in_the_window(seller, left, top):
    placed = pdf_text.words(pdf(invoice(seller=seller)))
    name = next(word for word in placed if word.text == "Atelier")
    assert abs(name.left - left) < 0.6
    assert 0 <= name.top - top < 2
    city = next(word for word in placed if word.text == "69009" and word.left - left < 1 and word.top > 45)
    assert city.bottom < (90 if left == 25 else 85)


def test_a_tall_head_pushes_the_address_down_and_nothing_overlaps():
    seller = msgspec.structs.replace(SELLER, name="Gesellschaft für besonders lange Firmennamen " * 4)
    placed = pdf_text.words(pdf(invoice(seller=seller), "de"))
    assert pdf_text.overlaps(placed) == []


def test_two_hundred_lines_give_clean_pages():
    lines = tuple(line(n, name=f"Article {n}, knotty, oiled twice before delivery to the site") for n in range(1, 201))
    made = pdf(invoice(lines=lines))
    shown = pdf_text.pages(made)
    assert len(shown) in {5, 6, 7}
    for number, text in enumerate(shown, 1):
        assert f"Page {number} of {len(shown)}" in text
        assert ("Unit price" in text) == ("Article" in text)
        assert number == 1 or text.count("F-1042") == 1
        placed = pdf_text.words(made, number - 1)
        assert pdf_text.overlaps(placed) == []
        assert max(word.right for word in placed) < 190.5
        assert max(word.bottom for word in placed) < 285
    everything = "".join(shown)
    assert [everything.count(f"Article {n},") for n in range(1, 201)] == [1] * 200


def test_a_row_is_not_split_over_pages():
    lines = tuple(
        line(n, name=f"Start{n}", note="\n".join(f"row {k}" for k in range(6)) + f"\nEnd{n}") for n in range(40)
    )
    for text in pdf_text.pages(pdf(invoice(lines=lines))):
        assert [n for n in range(40) if f"Start{n}\n" in text] == [n for n in range(40) if f"End{n}\n" in text]


def test_a_row_taller_than_a_page_goes_on_on_the_next():
    shown = pdf_text.pages(pdf(invoice(lines=(line(1, note="\n".join(f"row {k}." for k in range(200))),))))
    assert len(shown) >= 3
    assert all("".join(shown).count(f"row {k}.") == 1 for k in range(200))


LONG = "Donaudampfschifffahrtsgesellschaftskapitänskajütenschlüssel"


@pytest.mark.parametrize("language", ["en", "fr", "de", "sv"])
@pytest.mark.parametrize("text", ["W" * 200, f"{LONG} " * 12, "a/b-c_d." * 40, "word " * 150])
def test_long_texts_wrap_and_nothing_overlaps(language, text):
    party = Party(name=text, address=Address(line1=text, city=text, country="DE"), vat_id=text[:90])
    content = invoice(
        number=text[:60],
        buyer=party,
        deliver_to=party,
        payee=party,
        tax_representative=party,
        order=text,
        payment_terms=text,
        notes=(Note(text=text),),
        preceding=(Reference(id=text),),
        vat=(VatBreakdown(category="E", rate=D(0), taxable=D(5), amount=D(0), exemption_reason=text),),
        lines=(line(1, name=text, description=text, unit=text[:40], seller_item_id="X" * 16), line(2)),
    )
    made = pdf(content, language)
    for number in range(len(pdf_text.pages(made))):
        placed = pdf_text.words(made, number)
        assert pdf_text.overlaps(placed) == []
        assert max(word.right for word in placed) < 191


def test_figures_of_any_length_stay_on_the_page():
    huge = D("123456789012345678.123456789")
    content = invoice(lines=(line(1, quantity=huge, price=huge, amount=huge), line(2)))
    placed = pdf_text.words(pdf(content))
    assert pdf_text.overlaps(placed) == []
    assert max(word.right for word in placed) < 191
    assert sum(word.text == "123,456,789,012,345,678.123456789" for word in placed) == 3


def test_an_empty_invoice_is_a_page_without_a_crash():
    assert pdf_text.pages(pdf(Invoice(), "sv"))[0].startswith("Faktura")


def test_a_light_accent_is_not_used_for_text():
    for accent in ("#ffee00", "#000000", "#FFFFFF", "nonsense"):
        assert "Amount due" in pdf_text.pages(pdf(invoice(), accent=accent))[0]
