"""What is found in a submission, where it goes and how it looks."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from gateway import resources
from gateway.model import UTC, Envelope, Fields, parse_id
from gateway.pipeline import finding
from gateway.retry import LIFETIME
from gateway.store import documents, messages, schema
from tests.e2e.documents import invoice
from tests.pipeline.work import MAIL, NOBODY, MakeWork, Work, attached, dropped, mail, parts

# --- what is found in a submission -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "said", "kind"),
    [
        (b"%PDF-1.7", "application/xml", "application/pdf"),
        (b"\r\n %PDF-1.7", "", "application/pdf"),
        (b"<?xml version='1.0'?>", "application/octet-stream", "application/xml"),
        (b"\xef\xbb\xbf<Invoice>", "", "application/xml"),
        (b"\n\t<Invoice>", "text/plain", "application/xml"),
        (b"<!doctype html>", "text/html", "text/html"),
        (b"EDI_DC40", "text/plain", "text/plain"),
        (b"", "text/plain", "text/plain"),
    ],
)
def test_what_bytes_are_beats_what_the_sender_said(start: bytes, said: str, kind: str) -> None:
    assert finding.media_type(start, said) == kind


async def test_files_of_one_name_are_one_document_and_go_together(work: Work) -> None:
    await (await work.start()).add()
    page = resources.read_bytes("samples/invoice-papeterie.pdf")
    await work.accept(mail(attached(("F-77.xml", invoice()), ("F-77.pdf", page))))
    message = await work.sent()
    assert parts(message) == [
        ("Invoice-F-77.xml", "application/xml", invoice()),
        ("F-77.pdf", "application/pdf", page),
    ]
    assert message["Reply-To"] == "erp@seller.example"


async def test_a_name_gets_the_ending_of_what_is_in_the_file(work: Work) -> None:
    await (await work.start()).add()
    await work.accept(mail(attached(("F-77", invoice()))))
    assert parts(await work.sent())[0][0] == "Invoice-F-77.xml"


async def test_what_is_neither_a_page_nor_data_keeps_its_own_ending(work: Work) -> None:
    await (await work.start()).add()
    await work.accept(mail(attached(("F-77.xml", invoice()), ("F-77.png", b"\x89PNG\r\n\x1a\n"))))
    assert [name for name, _, _ in parts(await work.sent())] == ["Invoice-F-77.xml", "F-77.png"]


async def test_the_sender_s_own_page_goes_instead_of_ours(work: Work) -> None:
    await (await work.start()).add(format="pdf")
    page = resources.read_bytes("samples/invoice-papeterie.pdf")
    await work.accept(mail(attached(("F-77.xml", invoice()), ("F-77.pdf", page))))
    assert parts(await work.sent()) == [("Invoice-F-77.pdf", "application/pdf", page)]


async def test_a_damaged_mail_is_held_whole_and_says_why(work: Work) -> None:
    await work.start()
    broken = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\n\r\n" * 2000
    await work.accept(mail(broken))
    shown = await work.shown("held")
    assert shown["cause"].startswith("unreadable:"), shown["cause"]
    assert (shown["file_name"], shown["media_type"]) == ("message.eml", "message/rfc822")


async def test_a_bounce_makes_no_document_of_what_it_brings_back(work: Work) -> None:
    await (await work.start()).add()
    await work.accept(mail(attached(("a.xml", invoice())), envelope=NOBODY))
    shown = await work.shown("held")
    assert (shown["cause"], shown["file_name"]) == ("no-document:bounce", "message.eml")


async def test_a_mail_of_a_source_that_is_no_more_is_resolved(work: Work) -> None:
    await work.start()
    nobody = attached(("a.xml", invoice())).replace(b"From: erp@seller.example\r\n", b"")
    await work.accept(mail(nobody, source="gone"))
    shown = await work.shown("held")
    assert (shown["cause"], shown["source"], shown["fields"]) == ("no-recipient:1042", "gone", {})


async def test_what_the_sender_said_is_kept_with_the_document(work: Work) -> None:
    await work.start()
    said = Fields(customer_number="9", emails=("a@b.example",))
    await work.accept(dropped(invoice(), fields=said))
    shown = await work.shown("held")
    assert (shown["cause"], shown["customer_number"]) == ("no-recipient:9", "9")
    assert shown["fields"] == {"customer_number": "9", "emails": ["a@b.example"]}
    assert shown["reading"]["customer_numbers"] == ["1042"]
    assert "invoice" not in shown["reading"]


# --- where it goes ---------------------------------------------------------------------------------------


async def test_every_address_has_a_delivery_of_its_own(work: Work) -> None:
    await (await work.start()).add(cc=("chef@kopare.example", "arkiv@kopare.example"))
    before = dt.datetime.now(UTC)
    await work.accept(dropped(invoice()))
    shown = await work.shown("queued")
    assert [(each["recipient"], each["role"]) for each in shown["deliveries"]] == [
        ("kund@kopare.example", "to"),
        ("chef@kopare.example", "cc"),
        ("arkiv@kopare.example", "cc"),
    ]
    rows = await work.store.read(lambda connection: connection.execute(sa.select(schema.delivery)).all())
    assert len({row.mail_from for row in rows}) == 3
    assert {row.next_hop for row in rows} == {"hop-kopare.example"}
    assert all(before <= row.expires_at - LIFETIME <= dt.datetime.now(UTC) for row in rows)
    message = await work.sent()
    assert (message["To"], message["Cc"]) == ("kund@kopare.example", "chef@kopare.example, arkiv@kopare.example")
    assert work.queued == 1
    assert work.recent.get(parse_id(shown["messages"][0]["id"])) is not None


async def test_a_chosen_address_gets_it_again_also_after_the_switch_was_off(work: Work) -> None:
    await (await work.start()).set("distribution.active", False)
    await work.add()
    await work.accept(dropped(invoice()))
    document = parse_id((await work.one("held"))["id"])
    now = dt.datetime.now(UTC)
    await work.store.write(documents.cancel_documents, [document], now)
    await work.store.write(documents.resend_document, document, ["ny@kopare.example"], "anna", now)
    work.pipeline.wake()
    held = await work.shown("held")
    assert (held["cause"], held["released_by"]) == ("distribution-off", "anna")
    assert held["sentence"] == "E-mail distribution is switched off; it would go to ny@kopare.example."
    assert [step["rule"] for step in held["trace"]] == ["person", "distribution"]
    await work.set("distribution.active", True)
    assert (await work.sent())["To"] == "ny@kopare.example"
    trace = (await work.shown("queued"))["trace"]
    assert trace == [{"rule": "person", "text": "sent again to ny@kopare.example", "result": "chosen"}]


async def test_a_mail_is_passed_on_as_it_is_for_its_envelope(make_work: MakeWork) -> None:
    work = await (await make_work(recipients="envelope")).start()
    content = b"From: Scanner <scan@seller.example>\r\nMessage-ID: <one@seller.example>\r\n\r\n.dot\r\nbody\r\n"
    await work.accept(mail(content, envelope=Envelope(mail_from="x@seller.example", rcpt_to=("a@kund.example",))))
    shown = await work.shown("queued")
    assert (shown["type"], shown["format"], shown["file_name"]) == ("other", "mail", "message.eml")
    assert (shown["messages"][0]["message_id"], shown["messages"][0]["to"]) == (
        "<one@seller.example>",
        ["a@kund.example"],
    )
    number = parse_id(shown["messages"][0]["id"])
    whole = await work.store.read(messages.message_bytes, number)
    assert work.recent.get(number) == whole
    assert len(whole) == shown["messages"][0]["size"]
    assert whole.endswith(b"\r\n\r\n.dot\r\nbody\r\n")
    message = await work.sent()
    assert (message["Reply-To"], message["From"]) == ("scan@seller.example", "Scanner <noreply@pageroonline.com>")


@pytest.mark.parametrize("sender", ["x@seller.example", ""])
async def test_a_mail_without_a_sender_is_passed_on_without(make_work: MakeWork, sender: str) -> None:
    """Else a bounce could be answered by a bounce."""
    work = await (await make_work(recipients="envelope")).start()
    await work.accept(mail(MAIL, envelope=Envelope(mail_from=sender, rcpt_to=("a@kund.example",))))
    await work.one("queued")
    (row,) = await work.store.read(lambda connection: connection.execute(sa.select(schema.delivery)).all())
    assert row.mail_from.startswith("b+") if sender else row.mail_from == ""


async def test_a_mail_that_is_passed_on_keeps_its_attachments(make_work: MakeWork) -> None:
    work = await (await make_work(recipients="envelope")).start()
    content = attached(("a.xml", invoice()))
    await work.accept(mail(content, envelope=Envelope(mail_from="x@seller.example", rcpt_to=("a@kund.example",))))
    assert parts(await work.sent()) == [("a.xml", "application/octet-stream", invoice())]


async def test_a_mail_without_an_id_or_one_sender_is_passed_on_with_ours(make_work: MakeWork) -> None:
    work = await (await make_work(recipients="envelope")).start()
    content = b"From: a@seller.example, b@seller.example\r\n\r\nbody\r\n"
    await work.accept(mail(content, envelope=Envelope(mail_from="x@seller.example", rcpt_to=("a@kund.example",))))
    shown = await work.shown("queued")
    assert shown["messages"][0]["message_id"].endswith(f".{shown['id']}@pageroonline.com>")
    message = await work.sent()
    assert message["Message-ID"] == shown["messages"][0]["message_id"]
    assert message["Reply-To"] is None


async def test_a_file_is_never_passed_on_for_an_envelope_it_has_not(make_work: MakeWork) -> None:
    work = await (await make_work(recipients="envelope")).start()
    await work.accept(mail(invoice(), channel="folder", file_name="a.xml", envelope=NOBODY))
    assert (await work.one("held"))["cause"] == "no-recipient:1042"


# --- how it looks ----------------------------------------------------------------------------------------

EVERYTHING = (
    "{{ type }}|{{ number }}|{{ issue_date }}|{{ due_date }}|{{ payable }}|{{ currency }}|{{ seller }}|{{ buyer }}|"
    "{{ customer_number }}|{{ recipient_name }}|{{ company }}"
)


async def test_a_template_sees_what_the_document_says(work: Work) -> None:
    await (await work.start()).add(name="Köpare Nord", language="fr")
    await work.set("template.invoice.fr.subject", EVERYTHING)
    await work.accept(dropped(invoice()))
    assert str((await work.sent())["Subject"]) == (
        "Facture|F-77|02/03/2026|01/04/2026|120,00|EUR|Fabrique Éclair|Köpare AB|1042|Köpare Nord|default"
    )


async def test_what_the_sender_said_beats_the_document_in_texts(work: Work) -> None:
    await (await work.start()).add("9")
    await work.set("template.any.sv.subject", EVERYTHING)
    said = Fields(
        customer_number="9", number="X-1", issue_date=dt.date(2026, 5, 4), language="sv", reply_to="not an address"
    )
    await work.accept(dropped(invoice(), fields=said))
    message = await work.sent()
    assert str(message["Subject"]).split("|")[:3] == ["Faktura", "X-1", "2026-05-04"]
    assert str(message["Subject"]).split("|")[8:10] == ["9", "Köpare AB"]
    assert parts(message)[0][0] == "Faktura-X-1.xml"
    assert message["Reply-To"] is None


async def test_what_a_document_does_not_say_leaves_nothing_in_texts(work: Work) -> None:
    await (await work.start()).set("resolve.document_address", True)
    await work.set("format.invoice", "ubl")
    await work.set("template.any.en.subject", EVERYTHING)
    said_nothing = re.sub(
        rb"<cbc:(ID|IssueDate|DueDate|DocumentCurrencyCode|RegistrationName|PayableAmount)[^<]*<[^>]*>", b"", invoice()
    )
    await work.accept(dropped(said_nothing, fields=Fields(emails=("ap@kopare.example",))))
    message = await work.sent()
    assert str(message["Subject"]) == "Invoice||||||||||default"
    assert parts(message)[0][0] == "a.xml"


async def test_an_amount_that_is_no_number_is_shown_as_written(work: Work) -> None:
    await (await work.start()).add()
    await work.set("template.any.en.subject", "{{ payable }}|{{ currency }}|{{ due_date }}.")
    data = invoice().replace(b'PayableAmount currencyID="EUR">120.00', b'PayableAmount currencyID="EUR">see letter')
    data = data.replace(b"<cbc:DueDate>2026-04-01</cbc:DueDate>", b"")
    await work.accept(dropped(data))
    assert str((await work.sent())["Subject"]) == "see letter|EUR|."


async def test_the_company_s_answer_address_beats_the_sender_s(work: Work) -> None:
    await (await work.start()).add()
    await work.set("sender.reply_to", "svar@seller.example")
    await work.set("sender.name", "Fabrique")
    await work.set("sender.prefix", "faktura")
    await work.accept(mail(attached(("a.xml", invoice()))))
    message = await work.sent()
    assert message["Reply-To"] == "svar@seller.example"
    assert message["From"] == "Fabrique <faktura@pageroonline.com>"


async def test_the_language_is_the_row_s_else_the_company_s(work: Work) -> None:
    await (await work.start()).set("language", "de")
    await work.add()
    await work.accept(dropped(invoice()))
    assert str((await work.sent())["Subject"]).startswith("Rechnung F-77")


async def test_the_format_is_the_sender_s_else_the_row_s_else_the_type_s(work: Work) -> None:
    await (await work.start()).add("1", format=None)
    await work.add("2", format="pdf")
    await work.set("format.invoice", "ubl")
    await work.accept(dropped(invoice(customer="1")))
    assert parts(await work.sent())[0][1] == "application/xml"
    await work.accept(dropped(invoice(customer="2"), fields=Fields(format="ubl")))
    await work.until(lambda: _count(work, 2))
    newest = (await work.documents())[0]
    whole = await work.store.read(messages.message_bytes, parse_id(newest["deliveries"][0]["message"]))
    assert b"Content-Type: application/xml" in whole


async def _count(work: Work, count: int) -> bool:
    return len(await work.documents(state="queued")) == count
