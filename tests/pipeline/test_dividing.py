"""Files with several documents in the pipeline: what belongs to whom, and what a dead worker means."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway.model import Body, Fields
from gateway.pipeline import dividing
from gateway.store.submissions import NewDocument, NewFile
from gateway.workers import Pool
from tests.e2e.documents import invoice
from tests.pipeline.work import MakeWork, Work, dropped, parts
from tests.unit.test_wrappers import ASIC, PDF, indefinite, packed

GOLDEN = Path(__file__).parent.parent / "golden"
ORDER = (GOLDEN / "reader-90-order-whole/in.xml").read_bytes()
FIELDS = Fields(
    customer_number="7",
    number="said",
    type="invoice",
    origin=(("customer_number", "batch.csv"), ("number", "batch.csv")),
)
BATCH = NewDocument(file_name="batch.xml", media_type="application/xml", fields=FIELDS)
TWO = invoice("F-1") + invoice("F-2")


async def test_what_is_said_of_all_and_what_of_one(pool: Pool) -> None:
    first, second = await dividing.divide([BATCH], TWO, pool, last=False)
    assert (first.file_name, second.file_name) == ("batch-1.xml", "batch-2.xml")
    said = Fields(customer_number="7", type="invoice", origin=(("customer_number", "batch.csv"),))
    assert first.fields == second.fields == said
    assert second.body is not None
    assert (second.body.data, second.media_type) == (invoice("F-2").strip(), "application/xml")


async def test_a_page_beside_several_is_nobodys(pool: Pool) -> None:
    page = Body(sha256=b"", size=5, media_type="application/pdf", data=b"%PDF-")
    beside = msgspec.structs.replace(BATCH, extras=(NewFile(name="batch.pdf", body=page),))
    found = await dividing.divide([beside], TWO, pool, last=False)
    assert [(new.file_name, new.extras) for new in found] == [
        ("batch-1.xml", ()),
        ("batch-2.xml", ()),
        ("batch.pdf", ()),
    ]
    assert found[2].body == page
    alone = await dividing.divide([beside], invoice("F-1"), pool, last=False)
    assert alone == [beside]


async def test_a_file_that_cannot_be_opened_stays_one(pool: Pool) -> None:
    broken = TWO.replace(b"</Invoice>", b"", 1)[:-20]
    assert len(await dividing.divide([BATCH], broken, pool, last=False)) == 2  # both are held, each for itself
    bomb = b"<?xml version='1.0'?><a/>" * 5_000
    assert await dividing.divide([BATCH], bomb, pool, last=False) == [BATCH]


async def test_a_dead_worker_does_not_make_one_of_two(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dividing, "DIVIDE_SECONDS", 0.000001)
    with pytest.raises(dividing.Interrupted):
        await dividing.divide([BATCH], TWO, pool, last=False)
    assert await dividing.divide([BATCH], TWO, pool, last=True) == [BATCH]


async def test_two_taken_for_one_are_never_sent(make_work: MakeWork, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when dividing cost workers until the last try: nobody gets what may be another's."""
    work: Work = await make_work()
    await work.add("1042")
    monkeypatch.setattr(dividing, "may_hold_several", lambda data: False)
    await work.start()
    await work.accept(dropped(TWO, "batch.xml"))
    held = await work.one("held")
    assert held["cause"] == "unreadable:several-documents"
    assert work.queued == 0


# --- what leaves ---


@pytest.mark.parametrize(
    ("target", "sent"),
    [("ubl", ("Invoice-F-77.xml", invoice())), ("original", ("Invoice-F-77.p7m", indefinite(invoice())))],
)
async def test_a_signed_document_leaves_without_its_signature_or_as_it_came(
    make_work: MakeWork, target: str, sent: tuple[str, bytes]
) -> None:
    work = await (await make_work()).start()
    await work.add("1042", format=target)
    await work.accept(dropped(indefinite(invoice()), "F-77.xml.p7m"))
    ((name, _, data),) = parts(await work.sent())
    assert (name, data) == sent


async def test_files_of_a_container_go_with_its_document(make_work: MakeWork) -> None:
    work = await (await make_work()).start()
    await work.add("1042")
    await work.accept(dropped(packed({**ASIC, "F-77.xml": invoice(), "plan.pdf": PDF}), "F-77.asice"))
    document, plan = parts(await work.sent())
    assert document == ("Invoice-F-77.xml", "application/xml", invoice())
    assert (plan[0], plan[2]) == ("plan.pdf", PDF)


async def test_an_order_goes_to_the_seller_as_a_page(make_work: MakeWork) -> None:
    work = await (await make_work()).start()
    await work.add("LEV-9", type="order", format=None, language="sv")
    await work.accept(dropped(ORDER, "order.xml"))
    ((name, kind, data),) = parts(await work.sent())
    assert (name, kind, data[:5]) == ("Order-PO-2026-118.pdf", "application/pdf", b"%PDF-")
    shown = await work.shown("queued")
    assert (shown["type"], shown["customer_number"], shown["number"]) == ("order", "LEV-9", "PO-2026-118")


async def test_flat_idocs_are_cut_and_go_each_as_a_page(make_work: MakeWork) -> None:
    """Two in one file; the numbers have leading zeros that the directory does not."""
    work = await (await make_work()).start()
    await work.set("resolve.normalise", True)
    await work.add("1043", format=None)
    both = (GOLDEN / "reader-117-idoc-flat-several/in.txt").read_bytes()
    await work.accept(dropped(both, "idocs.txt"))

    async def numbers() -> list[str]:
        return sorted(document["number"] for document in await work.documents(state="queued"))

    async def both_are_queued() -> bool:
        return await numbers() == ["0090000123", "0090000124"]

    await work.until(both_are_queued)
