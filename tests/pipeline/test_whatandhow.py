"""What a recipient's row asks for beside its format: what is attached, under which name, with which constants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import samples
from tests.pipeline.work import Work, attached, dropped, mail, parts
from tests.unit.test_formats_ownpage import senders

GOLDEN = Path(__file__).parent.parent / "golden"
SOURCE = (GOLDEN / "write-02-peppol/in.xml").read_bytes()
LACKING = SOURCE.replace(b"04011000-12345-34", b"")  # BT-10
PAGE = (GOLDEN / "reader-20-pdf-french/in.pdf").read_bytes()


def notes(shown: dict[str, Any]) -> list[str]:
    """What the record of the delivery says; the trace says the same."""
    said: list[str] = shown["messages"][-1]["notes"]
    assert said == [step["text"] for step in shown["trace"] if step["rule"] == "format"]
    return [note for note in said if not note.startswith("Not checked")]


async def sent(work: Work, files: list[tuple[str, bytes]], **row: Any) -> list[tuple[str, str]]:
    """Names and types of what is attached for a recipient whose row says `row`."""
    await (await work.start()).add("0010427", **row)
    await work.accept(mail(attached(*files)))
    return [(name, kind) for name, kind, _ in parts(await work.sent())]


BOTH = [("F1.xml", SOURCE), ("F1.pdf", PAGE)]


async def test_without_a_wish_the_files_beside_it_go_along(work: Work) -> None:
    assert await sent(work, BOTH, format="peppol") == [
        ("Invoice-C-2026_0815.xml", "application/xml"),
        ("F1.pdf", "application/pdf"),
    ]
    assert notes(await work.shown("queued")) == []


async def test_alone_leaves_the_files_beside_it_and_says_so(work: Work) -> None:
    assert await sent(work, BOTH, format="peppol", attach="alone") == [("Invoice-C-2026_0815.xml", "application/xml")]
    assert notes(await work.shown("queued")) == ["Not attached, as the recipient's row asks for alone: F1.pdf."]


async def test_with_pdf_adds_a_page_of_ours_where_the_sender_gave_none(work: Work) -> None:
    row = {"format": "peppol", "attach": "with-pdf", "file_name": "{{ number }}"}
    assert await sent(work, [("F1.xml", SOURCE)], **row) == [
        ("C-2026_0815.xml", "application/xml"),
        ("C-2026_0815.pdf", "application/pdf"),
    ]


async def test_with_pdf_takes_the_senders_own(work: Work) -> None:
    assert await sent(work, BOTH, format="peppol", attach="with-pdf") == [
        ("Invoice-C-2026_0815.xml", "application/xml"),
        ("F1.pdf", "application/pdf"),
    ]


async def test_pdf_goes_instead_whatever_the_format(work: Work) -> None:
    assert await sent(work, BOTH, format="peppol", attach="pdf") == [("Invoice-C-2026_0815.pdf", "application/pdf")]


async def test_the_name_follows_the_pattern_and_is_safe(work: Work) -> None:
    pattern = "../{{ customer_number }}/{{ number }} {{ type | upper }}"
    assert await sent(work, [("F1.xml", SOURCE)], format="peppol", file_name=pattern) == [
        ("0010427_C-2026_0815 INVOICE.xml", "application/xml")
    ]


async def test_a_company_that_is_not_advanced_has_no_wishes(work: Work) -> None:
    await work.set("advanced", False)
    row = {"format": "peppol", "attach": "alone", "file_name": "x", "constants": ("BT-13=4",)}
    assert await sent(work, BOTH, **row) == [("Invoice-C-2026_0815.pdf", "application/pdf")]


async def test_a_constant_gives_what_the_document_lacks(work: Work) -> None:
    constants = ("BT-10=991-1", "BT-13=PO-7")
    await (await work.start()).add("0010427", format="xrechnung-ubl", constants=constants)
    await work.accept(dropped(LACKING, "F1.xml"))
    (written,) = parts(await work.sent())
    assert b"<cbc:BuyerReference>991-1</cbc:BuyerReference>" in written[2]
    used = notes(await work.shown("queued"))
    assert used[0] == "The buyer reference (BT-10) 991-1 is the recipient's constant: the document has none."
    assert b"PO-7" not in written[2]  # the document names its order
    assert not any("BT-13" in note for note in used)


async def test_what_is_missing_holds_and_says_where_a_constant_goes(work: Work) -> None:
    await (await work.start()).add("0010427", format="xrechnung-ubl")
    await work.accept(dropped(LACKING, "F1.xml"))
    held = await work.one("held")
    assert held["cause"] == "conversion:BT-10"
    assert held["sentence"].endswith("The recipient's row can give it: constant BT-10=….")


async def test_a_company_may_want_the_pdf_rather_than_wait(work: Work) -> None:
    await work.set("on_loss.invoice", "fallback_pdf")
    await (await work.start()).add("0010427", format="xrechnung-ubl")
    await work.accept(dropped(LACKING, "F1.xml"))
    ((name, kind, _),) = parts(await work.sent())
    assert (name, kind) == ("Invoice-C-2026_0815.pdf", "application/pdf")
    (note,) = notes(await work.shown("queued"))
    assert note.startswith(
        "Sent as PDF instead of xrechnung-ubl, as on_loss asks (BT-10): XRechnung 3.0 needs the buyer"
    )


async def test_turning_the_fallback_on_frees_what_waits(work: Work) -> None:
    await (await work.start()).add("0010427", format="xrechnung-ubl")
    await work.accept(dropped(LACKING, "F1.xml"))
    await work.one("held")
    await work.set("on_loss.any", "fallback_pdf")
    assert (await work.shown("queued"))["messages"]


async def test_what_is_no_invoice_waits_or_goes_as_its_page(work: Work) -> None:
    order = (GOLDEN / "reader-13-invoice-response/in.xml").read_bytes()
    await (await work.start()).add("0010427", format="peppol")
    await work.accept(dropped(order, "R1.xml", fields=fields("0010427")))
    held = await work.one("held")
    assert held["cause"] == "conversion:type"
    assert "Peppol" in held["sentence"]
    await work.set("on_loss.any", "fallback_pdf")
    ((name, kind, _),) = parts(await work.sent())
    assert (name, kind) == ("Invoice-response-X-ApplicationResponse.pdf", "application/pdf")


def fields(number: str) -> Any:
    from gateway.model import Fields

    return Fields(customer_number=number)


async def test_the_senders_page_is_that_of_the_factur_x_where_it_can_be(work: Work) -> None:
    own = senders()
    assert await sent(work, [("F1.xml", SOURCE), ("F1.pdf", own)], format="facturx") == [
        ("Invoice-C-2026_0815.pdf", "application/pdf")
    ]
    assert notes(await work.shown("queued")) == ["Its page is the sender's own PDF, made PDF/A-3b."]


async def test_else_the_factur_x_and_the_senders_pdf_are_two_attachments(work: Work) -> None:
    assert await sent(work, [("F1.xml", SOURCE), ("F1.pdf", samples.pdf(1))], format="facturx") == [
        ("Invoice-C-2026_0815.pdf", "application/pdf"),
        ("F1.pdf", "application/pdf"),
    ]
    (note,) = notes(await work.shown("queued"))
    assert note.startswith("The sender's own PDF goes beside it, since it cannot become PDF/A-3b: ")
