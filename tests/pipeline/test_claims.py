"""What the pipeline claims, gives back, lets go of and leaves at a stop."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.model import UTC, NewSubmission
from gateway.pipeline import loop
from gateway.store import schema, submissions
from tests.e2e.documents import invoice
from tests.pipeline.work import MAIL, OWNER, Work, dropped, mail

# --- claims and leases -----------------------------------------------------------------------------------


async def test_a_lease_of_this_boot_that_ran_out_is_worked_on_again(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be given back because the disk was full does not wait for the next start."""
    monkeypatch.setattr(loop, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.05)
    await work.pipeline.start()
    now = dt.datetime.now(UTC)
    await work.store.write(_accept_and_lease, mail(), now - dt.timedelta(seconds=1))
    assert (await work.one("held"))["cause"] == "no-document"


def _accept_and_lease(connection: Connection, new: NewSubmission, until: dt.datetime) -> None:
    submissions.accept(connection, new, new.received_at)
    assert submissions.claim(connection, OWNER, new.received_at, until, 1)


async def test_a_row_that_cannot_be_read_does_not_end_the_work(
    work: Work, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.05)
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


# --- stopping --------------------------------------------------------------------------------------------


async def test_a_stop_lets_running_work_end(work: Work) -> None:
    await (await work.start()).add(format="pdf")
    await work.accept(dropped(invoice()))
    await work.until(work.page_is_made)
    await work.pipeline.stop(20.0)
    assert [each["state"] for each in await work.documents()] == ["queued"]


async def test_what_a_stop_cuts_off_is_done_by_the_next_boot(work: Work) -> None:
    await (await work.start()).add(format="pdf")
    await work.accept(dropped(invoice()))
    await work.until(work.page_is_made)
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
