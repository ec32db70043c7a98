"""What is held, what it says, and how it goes on."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import os
import signal
import types
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy.engine import Connection

from gateway.model import UTC, parse_id
from gateway.pipeline import converting, loop
from gateway.store import companies, documents, recipients, views
from tests.e2e.documents import invoice
from tests.e2e.test_holds import ORDER
from tests.pipeline.work import WHO, Work, dropped, parts, save_setting

# --- what a held document says ---------------------------------------------------------------------------


async def test_a_document_that_costs_a_worker_when_it_is_written_is_found_by_its_number(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting, "WRITE_SECONDS", 0.001)
    await work.pipeline.start()
    await work.add(format="pdf")
    await work.accept(dropped(invoice()))
    held = await work.one("held")
    assert (held["cause"], held["number"], held["customer_number"]) == ("unreadable:timeout", "F-77", "1042")
    shown = await work.store.read(views.show_document, parse_id(held["id"]))
    assert "chosen" in {step["result"] for step in shown["trace"]}


# --- held, and going on ----------------------------------------------------------------------------------


async def test_without_keys_everything_is_held_until_they_can_be_read(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    file = work.config.dkim[1].file
    pem = file.read_bytes()
    file.unlink()
    assert not work.pipeline.reload_keys()
    assert "no mail leaves until there is a signing key" in caplog.text
    await (await work.start()).add()
    await work.accept(dropped(invoice()))
    held = await work.one("held")
    assert held["cause"] == "unsigned"
    assert "'gateway check' says why" in held["sentence"]
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
async def test_what_its_format_cannot_hold_goes_once_that_is_another_one(work: Work, way: str) -> None:
    await work.set("format.order", "peppol")
    await (await work.start()).add(type="any", format="peppol" if way == "row" else None)
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


async def test_settings_are_kept_until_there_are_others(work: Work) -> None:
    """Even where nobody tells the pipeline: what it keeps is compared with what there is."""
    await (await work.start()).add()
    subjects = set()
    for count, word in enumerate(("First", "Second"), 1):
        await work.store.write(save_setting, "template.invoice.en.subject", f"{word} {{{{ number }}}}")
        await work.accept(dropped(invoice(number=f"F-{count}")))
        queued = await work.until(partial(_queued, work, count))
        subjects = {(await work.message(each))["Subject"] for each in queued}
    assert subjects == {"First F-1", "Second F-2"}


async def test_what_is_held_by_kept_settings_stays_held(work: Work) -> None:
    """The count of events is today's, though the settings are older."""
    await (await work.start()).add()
    for count in (1, 2):
        await work.accept(dropped(invoice(number=f"F-{count}", customer="2099")))
        await work.until(partial(_queued, work, count, "held"))
    await work.add("2099")
    await work.until(partial(_queued, work, 2))


async def _queued(work: Work, count: int, state: str = "queued") -> list[dict[str, Any]]:
    found = await work.documents(state=state)
    return found if len(found) == count else []


async def test_an_event_while_the_document_is_on_its_way_to_a_hold_is_not_missed(work: Work) -> None:
    """The template is mended while the page is being rendered, before its failure is known."""
    await (await work.start()).add(format="pdf")
    await work.set("template.invoice.en.subject", "{{ nothing_like_that }}")
    await work.accept(dropped(invoice()))
    await work.until(work.page_is_made)
    await work.set("template.invoice.en.subject", "Hello {{ number }}")
    assert (await work.sent())["Subject"] == "Hello F-77"


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


async def test_a_document_that_costs_two_workers_is_held(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RETRY", dt.timedelta(0))  # looking for several documents in it costs workers first
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
