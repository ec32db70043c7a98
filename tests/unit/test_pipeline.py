"""The pipeline with a real store, real workers and the real jobs, in this process."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.config import Config, embedded_defaults
from gateway.model import UTC, Envelope, NewSubmission, Recipient, parse_id
from gateway.pipeline import Pipeline, loop, steps
from gateway.recent import Recent
from gateway.store import Store, companies, recipients, schema, submissions, views
from gateway.store.audit import Caller
from gateway.workers import Pool
from tests.e2e.documents import invoice
from tests.e2e.gateway import keys
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

    def __init__(self, store: Store, pool: Pool, config: Config) -> None:
        self.store, self.config = store, config
        self.queued = 0
        self.recent = Recent(1 << 20)
        self.pipeline = Pipeline(
            store,
            pool,
            config,
            owner=OWNER,
            verp_key=b"k" * 32,
            next_hop=lambda address: "capture",
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

    async def until(self, look: Callable[[], Any], seconds: float = 10.0) -> Any:
        async with asyncio.timeout(seconds):
            while not (found := await look()):  # noqa: ASYNC110  the store announces nothing
                await asyncio.sleep(0.01)
        return found


@pytest.fixture
async def work(store: Store, pool: Pool, tmp_path: Path) -> AsyncIterator[Work]:
    (tmp_path / "dkim").mkdir()
    for name, pem in keys().items():
        (tmp_path / "dkim" / name).write_bytes(pem)
        (tmp_path / "dkim" / name).chmod(0o600)
    await store.write(companies.ensure_company, "default", dt.datetime.now(UTC))
    made = Work(store, pool, embedded_defaults(tmp_path))
    yield made
    await made.pipeline.stop(5.0)


def mail(content: bytes = MAIL, **more: Any) -> NewSubmission:
    return msgspec.structs.replace(submission(dt.datetime.now(UTC), content), **more)


def dropped(content: bytes, name: str = "a.xml", **more: Any) -> NewSubmission:
    return mail(content, channel="folder", source="dropbox", file_name=name, envelope=NOBODY, **more)


def add_row(connection: Connection, number: str) -> None:
    """A row of the default company's directory."""
    row = Recipient(number=number, email=("kund@kopare.example",))
    recipients.add(connection, companies.company_id(connection, "default"), row, WHO, dt.datetime.now(UTC))


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
    await work.store.write(add_row, "1042")
    await work.accept(dropped(invoice()))
    held = await work.one("held")
    assert (held["cause"], held["number"], held["customer_number"]) == ("unreadable:timeout", "F-77", "1042")
    shown = await work.store.read(views.show_document, parse_id(held["id"]))
    assert "chosen" in {step["result"] for step in shown["trace"]}
