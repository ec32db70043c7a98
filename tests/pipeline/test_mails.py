"""Mails of old systems through the pipeline: pieces, notices, fields in the mail, and what the record says of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from gateway.model import UTC, Envelope, NewSubmission, new_id
from gateway.pipeline import piecing
from gateway.store import pieces
from tests.e2e.documents import invoice
from tests.pipeline.work import Work, attached, mail, parts

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


def in_pieces(count: int, **more: Any) -> list[NewSubmission]:
    """A mail with an invoice, cut at line ends."""
    lines = attached(("F-77.xml", invoice())).splitlines(keepends=True)
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
    await work.until(states(work, "received", "received", "received"))


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
