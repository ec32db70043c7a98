"""The pipeline with a real store, real workers and the real jobs, in this process."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email.policy
import gc
import os
import signal
import types
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway import resources, settings
from gateway.config import Config, embedded_defaults
from gateway.model import UTC, Envelope, Fields, NewSubmission, Recipient, parse_id
from gateway.pipeline import Pipeline, finding, loop, steps
from gateway.recent import Recent
from gateway.retry import LIFETIME
from gateway.store import Store, companies, documents, messages, recipients, schema, submissions, views
from gateway.store import settings as stored_settings
from gateway.store.audit import Caller
from gateway.workers import Pool
from tests.e2e.documents import invoice
from tests.e2e.gateway import keys
from tests.e2e.test_holds import ORDER
from tests.store.samples import submission

OWNER = "this-boot"
WHO = Caller(uid=0, user="root")
NOBODY = Envelope(mail_from="", rcpt_to=())
MAIL = b"From: erp@seller.example\r\nTo: 1042@gateway.example\r\nSubject: s\r\n\r\nno document\r\n"


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool(1)
    made.start()
    yield made
    await made.close()


class Work:
    """A pipeline over `store`, what it has queued, and what it is asked about."""

    def __init__(self, store: Store, pool: Pool, config: Config, owner: str = OWNER) -> None:
        self.store, self.pool, self.config = store, pool, config
        self.queued = 0
        self.recent = Recent(1 << 20)
        self.pipeline = Pipeline(
            store,
            pool,
            config,
            owner=owner,
            verp_key=b"k" * 32,
            next_hop=lambda address: f"hop-{address.partition('@')[2]}",
            on_queued=self._count,
            recent=self.recent,
        )

    def _count(self) -> None:
        self.queued += 1

    async def accept(self, new: NewSubmission) -> int:
        """Hand something in."""
        accepted = await self.store.write(submissions.accept, new, new.received_at)
        self.pipeline.wake()
        return accepted.id

    async def documents(self, **wanted: Any) -> list[dict[str, Any]]:
        return await self.store.read(views.list_documents, views.Filter(**wanted))

    async def one(self, state: str) -> dict[str, Any]:
        """The one document, once it is in `state`."""
        (found,) = await self.until(lambda: self.documents(state=state))
        return dict(found)

    async def start(self) -> Work:
        await self.pipeline.start()
        return self

    async def set(self, key: str, value: object) -> None:
        """As a person saves a setting: checked values only."""
        await self.store.write(_save, key, value)
        self.pipeline.changed()

    async def add(self, number: str = "1042", **more: Any) -> None:
        """As a person adds a row."""
        await self.store.write(add_row, number, **more)
        self.pipeline.changed()

    async def shown(self, state: str) -> dict[str, Any]:
        """Everything of the one document, once it is in `state`."""
        return await self.store.read(views.show_document, parse_id((await self.one(state))["id"]))

    async def sent(self) -> EmailMessage:
        """The newest message of the one document, once it is queued."""
        shown = await self.shown("queued")
        whole = await self.store.read(messages.message_bytes, parse_id(shown["messages"][-1]["id"]))
        message = email.message_from_bytes(whole, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message

    async def until(self, look: Callable[[], Any], seconds: float = 10.0) -> Any:
        async with asyncio.timeout(seconds):
            while not (found := await look()):  # noqa: ASYNC110  the store announces nothing
                await asyncio.sleep(0.01)
        return found


MakeWork = Callable[..., Awaitable[Work]]


@pytest.fixture
async def make_work(store: Store, pool: Pool, tmp_path: Path) -> AsyncIterator[MakeWork]:
    made: list[Work] = []

    async def make(**source: Any) -> Work:
        (tmp_path / "dkim").mkdir()
        for name, pem in keys().items():
            (tmp_path / "dkim" / name).write_bytes(pem)
            (tmp_path / "dkim" / name).chmod(0o600)
        await store.write(companies.ensure_company, "default", dt.datetime.now(UTC))
        config = embedded_defaults(tmp_path)
        local, drop = config.sources
        sources = (msgspec.structs.replace(local, **source), drop)
        made.append(Work(store, pool, msgspec.structs.replace(config, sources=sources)))
        return made[-1]

    yield make
    for work in made:
        await work.pipeline.stop(5.0)


@pytest.fixture
async def work(make_work: MakeWork) -> Work:
    return await make_work()


def mail(content: bytes = MAIL, **more: Any) -> NewSubmission:
    return msgspec.structs.replace(submission(dt.datetime.now(UTC), content), **more)


def dropped(content: bytes, name: str = "a.xml", **more: Any) -> NewSubmission:
    return mail(content, channel="folder", source="dropbox", file_name=name, envelope=NOBODY, **more)


def add_row(connection: Connection, /, number: str, **more: Any) -> None:
    """A row of the default company's directory; by default it asks for what costs no rendering."""
    row = msgspec.structs.replace(Recipient(number=number, email=("kund@kopare.example",), format="ubl"), **more)
    recipients.add(connection, companies.company_id(connection, "default"), row, WHO, dt.datetime.now(UTC))


def _save(connection: Connection, key: str, value: object) -> None:
    found = settings.find(key, ("invoice", "order"))
    company = companies.company_id(connection, "default")
    stored_settings.save(connection, company, found, value, None, WHO, dt.datetime.now(UTC))


def attached(*files: tuple[str, bytes], **headers: str) -> bytes:
    """A mail with files attached."""
    message = EmailMessage(policy=email.policy.SMTP)
    for name, value in ({"From": "erp@seller.example", "Subject": "s"} | headers).items():
        message[name] = value
    message.set_content("see attachment")
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def parts(message: EmailMessage) -> list[tuple[str, str, bytes]]:
    """Name, type and bytes of what is attached to a message."""
    return [
        (str(part.get_filename()), part.get_content_type(), part.get_payload(decode=True))  # type: ignore[misc]
        for part in message.iter_attachments()
    ]


# --- claims and leases -----------------------------------------------------------------------------------


async def test_a_lease_of_this_boot_that_ran_out_is_worked_on_again(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be given back because the disk was full does not wait for the next start."""
    monkeypatch.setattr(loop, "SWEEP_SECONDS", 0.05)
    await work.pipeline.start()
    now = dt.datetime.now(UTC)
    await work.store.write(_accept_and_lease, mail(), now - dt.timedelta(seconds=1))
    assert (await work.one("held"))["cause"] == "no-document"


def _accept_and_lease(connection: Connection, new: NewSubmission, until: dt.datetime) -> None:
    submissions.accept(connection, new, new.received_at)
    assert submissions.claim(connection, OWNER, new.received_at, until, 1)


async def test_a_row_that_cannot_be_read_does_not_end_the_work(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    await work.pipeline.start()
    await work.store.write(_accept_garbled, mail())
    await work.until(lambda: _logged(caplog, "the pipeline's loop failed"))
    await work.store.write(_mend)
    assert (await work.one("held"))["cause"] == "no-document"


async def _logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text


def _accept_garbled(connection: Connection, new: NewSubmission) -> None:
    submissions.accept(connection, new, new.received_at)
    connection.execute(sa.update(schema.submission).values(peer=[]))


def _mend(connection: Connection) -> None:
    connection.execute(sa.update(schema.submission).values(peer={"host": "127.0.0.1"}))


async def test_a_submission_that_fails_again_and_again_becomes_a_document_that_is_held(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "RETRY", dt.timedelta(0))
    monkeypatch.setattr("gateway.workers.wire.BLOB_LIMIT", 1000)  # the pool refuses what is larger
    await work.pipeline.start()
    await work.accept(mail(MAIL + b"x" * 1000))
    held = await work.one("held")
    assert held["cause"] == "internal"
    assert "3 times" in held["sentence"]


# --- what a held document says ---------------------------------------------------------------------------


async def test_a_document_that_costs_a_worker_when_it_is_written_is_found_by_its_number(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "WRITE_SECONDS", 0.001)
    await work.pipeline.start()
    await work.add(format="pdf")
    await work.accept(dropped(invoice()))
    held = await work.one("held")
    assert (held["cause"], held["number"], held["customer_number"]) == ("unreadable:timeout", "F-77", "1042")
    shown = await work.store.read(views.show_document, parse_id(held["id"]))
    assert "chosen" in {step["result"] for step in shown["trace"]}


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


# --- held, and going on ----------------------------------------------------------------------------------


async def test_without_keys_everything_is_held_until_they_can_be_read(work: Work) -> None:
    file = work.config.dkim[1].file
    pem = file.read_bytes()
    file.unlink()
    assert not work.pipeline.reload_keys()
    await (await work.start()).add()
    await work.accept(dropped(invoice()))
    assert (await work.one("held"))["cause"] == "unsigned"
    await work.pipeline.stop(5.0)
    file.write_bytes(pem)
    file.chmod(0o600)
    assert work.pipeline.reload_keys()
    await work.pipeline.start()  # a start wakes what waits for the keys
    assert len(await _signatures(work)) == 2


async def _signatures(work: Work) -> list[str]:
    return (await work.sent()).get_all("DKIM-Signature", [])


async def test_a_template_that_fails_is_held_until_it_is_another_one(work: Work) -> None:
    """Saved templates are checked; one from before an upgrade may fail all the same."""
    await (await work.start()).add()
    await work.set("template.invoice.en.subject", "{{ nothing_like_that }}")
    await work.accept(dropped(invoice()))
    held = await work.shown("held")
    assert (held["cause"], held["number"], held["type"]) == ("template", "F-77", "invoice")
    assert "nothing_like_that" in held["sentence"]
    await work.set("template.invoice.en.subject", "Hello {{ number }}")
    assert (await work.sent())["Subject"] == "Hello F-77"


@pytest.mark.parametrize("way", ["row", "setting"])
async def test_what_has_no_page_goes_once_its_format_is_another_one(work: Work, way: str) -> None:
    await (await work.start()).add(type="any", format="pdf" if way == "row" else None)
    await work.accept(dropped(ORDER))
    held = await work.shown("held")
    assert (held["cause"], held["type"]) == ("conversion:type", "order")
    if way == "row":
        await work.store.write(_change_format)
        work.pipeline.changed()
    else:
        await work.set("format.order", "ubl")
    assert parts(await work.sent()) == [("Order-O-1.xml", "application/xml", ORDER)]


def _change_format(connection: Connection) -> None:
    row = recipients.rows_for(connection, companies.company_id(connection, "default"), ("1042",))[0]
    changed = msgspec.structs.replace(row, format="ubl")
    recipients.change(connection, changed, None, WHO, dt.datetime.now(UTC))


async def test_an_event_while_the_document_is_on_its_way_to_a_hold_is_not_missed(work: Work) -> None:
    """The template is mended while the page is being rendered, before its failure is known."""
    await (await work.start()).add(format="pdf")
    await work.set("template.invoice.en.subject", "{{ nothing_like_that }}")
    await work.accept(dropped(invoice()))
    await work.until(lambda: _jobs(work, 1))  # it has been read, its page is being made
    await work.set("template.invoice.en.subject", "Hello {{ number }}")
    assert (await work.sent())["Subject"] == "Hello F-77"


async def _jobs(work: Work, count: int) -> bool:
    return work.pool.jobs >= count


async def test_what_fails_for_a_reason_of_ours_is_held_after_three_tries(
    work: Work, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop, "RETRY", dt.timedelta(0))
    await (await work.start()).add()
    with monkeypatch.context() as small:
        small.setattr("gateway.workers.wire.BLOB_LIMIT", 1000)
        await work.accept(dropped(invoice()))
        held = await work.shown("held")
    assert held["cause"] == "internal"
    incident = held["sentence"].split()[-1].rstrip(".")
    assert incident in caplog.text
    await work.store.write(documents.release_documents, [parse_id(held["id"])], "anna", dt.datetime.now(UTC))
    work.pipeline.wake()
    await work.one("queued")


async def test_while_the_workers_are_away_documents_wait(
    work: Work, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop, "RETRY", dt.timedelta(0))
    await work.start()
    await work.pool.close()
    await work.accept(dropped(invoice()))
    await work.until(lambda: _times(caplog, "The gateway is stopping.", 5))
    assert [each["state"] for each in await work.documents()] == ["received"]


async def _times(caplog: pytest.LogCaptureFixture, text: str, count: int) -> bool:
    return caplog.text.count(text) >= count


async def test_a_document_that_costs_two_workers_is_held(work: Work) -> None:
    await (await work.start()).add()
    slow = invoice().replace(b"<cbc:DueDate>", b"<cbc:Note>x</cbc:Note>" * 200_000 + b"<cbc:DueDate>")
    await work.accept(dropped(slow))

    async def held() -> list[dict[str, Any]]:
        for pid in work.pool.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return await work.documents(state="held")

    (document,) = await work.until(held, 30.0)
    assert document["cause"] == "unreadable:crash"
    assert "2 workers" in document["sentence"]
    await work.store.write(documents.release_documents, [parse_id(document["id"])], "anna", dt.datetime.now(UTC))
    work.pipeline.wake()
    await work.one("queued")


async def test_a_document_that_is_held_leaves_nothing_in_memory(work: Work) -> None:
    """A reference cycle would keep its bytes until the collector comes by, which takes long where little is made."""
    await work.start()
    gc.collect()
    gc.disable()
    try:
        await work.accept(dropped(b"%PDF-1.4\n" + b"x" * 5000 + b"\n%%EOF\n", name="a.pdf"))
        await work.one("held")
        await work.until(_nothing_kept, 5.0)
    finally:
        gc.enable()


async def _nothing_kept() -> bool:
    frames = [each for each in gc.get_objects() if isinstance(each, types.FrameType)]
    return not any(
        isinstance(value, bytes) and len(value) > 5000 for each in frames for value in each.f_locals.values()
    )


# --- stopping --------------------------------------------------------------------------------------------


async def test_a_stop_lets_running_work_end(work: Work) -> None:
    await (await work.start()).add(format="pdf")
    await work.accept(dropped(invoice()))
    await work.until(lambda: _jobs(work, 1))
    await work.pipeline.stop(20.0)
    assert [each["state"] for each in await work.documents()] == ["queued"]


async def test_what_a_stop_cuts_off_is_done_by_the_next_boot(work: Work) -> None:
    await (await work.start()).add(format="pdf")
    await work.accept(dropped(invoice()))
    await work.until(lambda: _jobs(work, 1))
    started = asyncio.get_running_loop().time()
    await work.pipeline.stop(0.01)
    assert asyncio.get_running_loop().time() - started < 5
    assert [each["state"] for each in await work.documents()] == ["received"]
    next_boot = Work(work.store, work.pool, work.config, owner="next-boot")
    await next_boot.start()
    await next_boot.one("queued")
    await next_boot.pipeline.stop(5.0)


async def test_nothing_is_claimed_after_a_stop(work: Work) -> None:
    await work.start()
    await work.pipeline.stop(1.0)
    await work.accept(mail())
    assert await work.store.write(submissions.claim, "other", dt.datetime.now(UTC), dt.datetime.now(UTC), 9)
