"""Mails of old systems through the pipeline: pieces, notices, fields in the mail, and what the record says of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from gateway.model import UTC, Envelope, MailPattern, NewSubmission, new_id
from gateway.pipeline import piecing
from gateway.store import pieces
from tests.e2e.documents import invoice
from tests.pipeline.work import MakeWork, Work, attached, mail, parts

ERP = Envelope(mail_from="erp@seller.example", rcpt_to=("1042@gateway.example",))


def piece(
    number: int, total: int | None, content: bytes, key: str = "7@scanner", sender: str = "scan"
) -> NewSubmission:
    said = f"; total={total}" if total else ""
    header = (
        f"From: scan@seller.example\r\nSubject: scan [{number}]\r\nMessage-ID: <{number}@scanner>\r\n"
        f'Content-Type: message/partial; id="{key}";\r\n number={number}{said}\r\n\r\n'
    )
    envelope = Envelope(mail_from=f"{sender}@seller.example", rcpt_to=("1042",))
    return mail(header.encode() + content, envelope=envelope)


def in_pieces(count: int, data: bytes | None = None, **more: Any) -> list[NewSubmission]:
    """A mail with an invoice, cut at line ends."""
    lines = attached(("F-77.xml", data or invoice())).splitlines(keepends=True)
    size = len(lines) // count + 1
    cuts = [b"".join(lines[at : at + size]) for at in range(0, len(lines), size)]
    return [piece(number, count, cut, **more) for number, cut in enumerate(cuts, 1)]


async def _states(work: Work) -> list[str]:
    return sorted(document["state"] for document in await work.documents())


def states(work: Work, *wanted: str) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def look() -> bool:
        return await _states(work) == sorted(wanted)

    return look


async def test_pieces_in_any_order_are_one_mail(work: Work) -> None:
    await (await work.start()).add()
    one, two, three = in_pieces(3)
    await work.accept(three)
    await work.until(states(work, "received"))
    await work.accept(one)

    async def two_wait() -> bool:
        sentences = {document["sentence"] or "" for document in await work.documents()}
        return len(sentences) == 1 and "2 of 3 pieces" in sentences.pop()

    await work.until(two_wait)
    assert "piece 2 may come until" in str((await work.documents())[0]["sentence"])
    await work.accept(two)
    await work.until(states(work, "cancelled", "cancelled", "cancelled", "queued"))
    message = await work.sent()
    assert parts(message)[0][2] == invoice()
    said = {document["sentence"] for document in await work.documents(state="cancelled")}
    assert all("of a mail; the whole is submission" in str(sentence) for sentence in said)


async def test_pieces_of_another_sender_or_id_never_join(work: Work) -> None:
    await (await work.start()).add()
    mine, others, third = in_pieces(2), in_pieces(2, sender="other"), in_pieces(2, key="8@scanner")
    for new in (mine[0], others[1], third[1]):
        await work.accept(new)

    async def all_wait() -> bool:
        sentences = [str(document["sentence"]) for document in await work.documents(state="received")]
        return len(sentences) == 3 and all("1 of 2 pieces of this mail are here" in said for said in sentences)

    await work.until(all_wait)


async def test_two_mails_in_pieces_at_the_same_time_are_two_mails(work: Work) -> None:
    await (await work.start()).add()
    await work.add("2042", email=("other@kopare.example",))
    first = in_pieces(2)
    second = in_pieces(2, data=invoice("F-78", customer="2042"), key="8@scanner")
    for new in (first[1], second[1], first[0], second[0]):
        await work.accept(new)
    await work.until(states(work, *["cancelled"] * 4, "queued", "queued"))
    found = {document["number"]: document["customer_number"] for document in await work.documents(state="queued")}
    assert found == {"F-77": "1042", "F-78": "2042"}


async def test_a_piece_that_comes_twice_counts_once(work: Work) -> None:
    await (await work.start()).add()
    one, two = in_pieces(2)
    again = mail((one.body.data or b"").replace(b"From:", b"Received: again\r\nFrom:", 1), envelope=one.envelope)
    await work.accept(one)
    await work.accept(again)
    await work.until(states(work, "received", "received"))
    await work.accept(two)
    await work.until(states(work, "cancelled", "cancelled", "cancelled", "queued"))
    await work.accept(msgspec.structs.replace(again, id=new_id()))  # and once more, when all is over
    await work.until(states(work, "cancelled", "cancelled", "cancelled", "cancelled", "queued"))
    assert "that came once more" in str((await work.documents())[0]["sentence"])


async def test_what_never_comes_is_held_and_goes_on_when_it_comes_late(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piecing, "AGE", dt.timedelta(0))
    await (await work.start()).add()
    one, two = in_pieces(2)
    await work.accept(one)
    held = await work.one("held")
    assert (held["cause"], held["sentence"]) == (
        "incomplete",
        "Of a mail that was sent in pieces piece 2 never came within 0 hours.",
    )
    await work.accept(two)
    await work.until(states(work, "cancelled", "cancelled", "queued"))


async def test_a_person_may_give_a_piece_up(work: Work) -> None:
    """A cancelled piece is not joined behind the person's back."""
    from gateway.store import documents

    await work.start()
    one, two = in_pieces(2)
    await work.accept(one)
    await work.until(states(work, "received"))
    ids = [int(each.document_id) for each in await _waiting(work)]
    await work.store.write(documents.cancel_documents, ids, dt.datetime.now(UTC))
    await work.accept(two)
    await work.until(states(work, "cancelled", "received"))


async def _waiting(work: Work) -> list[pieces.Waiting]:
    from gateway.model import parse_id

    (document,) = await work.documents()
    return await work.store.read(pieces.siblings, parse_id(document["id"]))


@pytest.mark.parametrize(
    ("news", "cause", "sentence"),
    [
        ([piece(1, 2, b"a"), piece(2, 3, b"b")], "incomplete", "do not agree on how many"),
        ([piece(1, 2, b"a"), piece(1, 2, b"b")], "incomplete", "Piece 1 of this mail came more than once, and differ"),
        ([piece(3, 2, b"a")], "unreadable:pieces", "piece 3 of 2 of a mail"),
        ([piece(1, 999, b"a")], "unreadable:pieces", "there may be 200"),
    ],
    ids=["totals", "twice", "beyond", "many"],
)
async def test_pieces_that_make_no_whole_are_held(
    work: Work, news: list[NewSubmission], cause: str, sentence: str
) -> None:
    await work.start()
    for new in news:
        await work.accept(new)

    async def held() -> bool:
        return any(document["cause"] == cause for document in await work.documents(state="held"))

    await work.until(held)
    assert any(sentence in str(document["sentence"]) for document in await work.documents(state="held"))


async def test_a_whole_that_says_it_is_a_piece_is_not_joined_again(work: Work) -> None:
    """Otherwise a mail could be made that goes round for ever."""
    await work.start()
    inner = b'Content-Type: message/partial; id="x"; number=1; total=1\r\n\r\nhello\r\n'
    await work.accept(piece(1, 1, inner))
    await work.until(states(work, "cancelled", "held"))
    assert (await work.one("held"))["cause"] == "no-document"


# --- notices ---

TONER = (
    b"From: mfp@seller.example\r\nSubject: Toner low\r\nDate: Mon, 2 Mar 2026 09:41:00 +0100\r\n\r\nReplace soon.\r\n"
)


async def test_a_notice_ends_with_its_reason_and_waits_for_nobody(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "gateway.mail")
    await work.start()
    await work.accept(mail(TONER))
    shown = await work.shown("cancelled")
    assert (shown["cause"], shown["sentence"]) == (None, "The mail is a device's message about itself and no document.")
    assert shown["trace"][0]["text"].startswith('mail "Toner low" of mfp@seller.example')
    assert "ended document=" in caplog.text
    assert "cause=no-document:device" in caplog.text


async def test_a_source_may_hold_its_notices(make_work: MakeWork) -> None:
    work = await (await make_work(notices="hold")).start()
    await work.accept(mail(TONER))
    assert (await work.one("held"))["cause"] == "no-document:device"


async def test_a_report_without_a_sender_ends_and_what_else_comes_without_one_is_held(work: Work) -> None:
    await work.start()
    nobody = Envelope(mail_from="", rcpt_to=("1042",))
    bounce = (
        b"From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\nContent-Type: multipart/report;\r\n"
        b" report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Status: 5.1.1\r\n--b--\r\n"
    )
    await work.accept(mail(bounce, envelope=nobody))
    assert "a report on the delivery" in (await work.one("cancelled"))["sentence"]
    await work.accept(mail(attached(("F-77.xml", invoice())), envelope=nobody))
    assert (await work.one("held"))["cause"] == "no-document:bounce"


# --- fields in the mail, and the record ---


async def test_the_number_in_rcpt_beats_the_documents_own(make_work: MakeWork) -> None:
    work = await make_work(mail_patterns=(MailPattern(field="customer_number", where="rcpt"),))
    await (await work.start()).add("100234")
    envelope = Envelope(mail_from="erp@seller.example", rcpt_to=("100234@gateway.example",))
    await work.accept(mail(attached(("F-77.xml", invoice())), envelope=envelope))
    shown = await work.shown("queued")
    assert shown["customer_number"] == "100234"
    steps = [(step["rule"], step["result"], step["text"], step.get("where")) for step in shown["trace"]]
    assert steps[1] == ("mail", "found", "F-77.xml", "part 2")
    assert ("customer_number", "found", "customer number 100234", "RCPT TO") in steps
    assert ("sender", "lost", "the document's own customer number 1042", None) in steps


async def test_the_number_in_the_subject_fills_what_the_document_lacks(make_work: MakeWork) -> None:
    pattern = MailPattern(field="customer_number", where="subject", regex=r"Kunde (\d+)", first=False)
    work = await make_work(mail_patterns=(pattern,))
    await (await work.start()).add("4711")
    without = invoice(customer="")
    await work.accept(mail(attached(("F-77.xml", without), Subject="Rechnung Kunde 4711")))
    shown = await work.shown("queued")
    assert shown["customer_number"] == "4711"
    assert any(step.get("where") == "subject of the mail" for step in shown["trace"])
    await work.add()
    await work.accept(mail(attached(("F-78.xml", invoice(number="F-78")), Subject="Rechnung Kunde 4711")))

    async def second() -> bool:
        return {document["customer_number"] for document in await work.documents()} == {"4711", "1042"}

    await work.until(second)


async def test_what_cannot_be_opened_is_held_beside_what_can(work: Work) -> None:
    await (await work.start()).add()
    await work.accept(mail(attached(("F-77.xml", invoice()), ("rest.zip", b"PK\x03\x04 no archive at all"))))
    await work.until(states(work, "held", "queued"))
    held = await work.shown("held")
    assert (held["cause"], held["file_name"]) == ("unreadable:zip-damaged", "rest.zip")
    assert held["sentence"] == "The archive rest.zip is damaged."
    assert [step.get("where") for step in held["trace"]] == [None, "part 3", None, None, None]
    going = await work.shown("queued")
    assert any(step["text"] == "The archive rest.zip is damaged." for step in going["trace"])
    assert len(parts(await work.sent())) == 1


@pytest.mark.parametrize("charset", ["cp850", "cp1252"])
async def test_a_mail_that_is_passed_on_has_its_letters_by_the_sources_charset(
    make_work: MakeWork, charset: str
) -> None:
    work = await make_work(recipients="envelope", charset=("utf-8", charset))
    await work.start()
    header = "From: Büro <erp@seller.example>\r\nSubject: März\r\n\r\n".encode(charset)
    envelope = Envelope(mail_from="erp@seller.example", rcpt_to=("kund@kopare.example",))
    await work.accept(mail(header + b"text\r\n", envelope=envelope))
    message = await work.sent()
    assert (message["Subject"], message["From"].addresses[0].display_name) == ("März", "Büro")


async def test_a_piece_of_a_relays_mail_is_passed_on_as_it_is(make_work: MakeWork) -> None:
    """Whoever gets it joins it."""
    work = await (await make_work(recipients="envelope")).start()
    new = piece(1, 2, b"half")
    envelope = Envelope(mail_from="scan@seller.example", rcpt_to=("kund@kopare.example",))
    await work.accept(msgspec.structs.replace(new, envelope=envelope))
    assert (await work.sent()).get_content_type() == "message/partial"


async def test_what_a_bare_mail_lacks_the_mail_that_we_send_has(work: Work) -> None:
    await (await work.start()).add()
    whole = attached(("F-77.xml", invoice()))
    await work.accept(mail(whole[whole.index(b"MIME-Version") :]))  # no From, no Subject, no Date, no Message-ID
    message = await work.sent()
    assert all(message[name] for name in ("From", "Date", "Message-ID", "Subject"))
    assert message["Reply-To"] is None
    notes = [step["text"] for step in (await work.shown("queued"))["trace"] if step["rule"] == "mail"]
    assert notes[0] == "mail without a subject"
    assert notes[2:] == [
        "the mail has no date of its own",
        "the mail has no Message-ID",
        "the mail does not say who wrote it",
    ]
