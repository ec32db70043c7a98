"""Lists from the admin socket into the directory and back, with a real store and a real worker."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import io
import os
import re
import signal
import threading
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway import config
from gateway.admin import imports
from gateway.admin.running import Running
from gateway.api import AdminServer
from gateway.client import Client, path_of
from gateway.errors import Conflict, NotFound, Refused
from gateway.model import Recipient
from gateway.store import Store, companies, documents, messages, meta, recipients, submissions
from gateway.store.audit import Caller
from gateway.store.schema import document, recipient
from gateway.workbook import writing
from gateway.workbook.model import FILE_LIMIT
from gateway.workers import Pool
from tests.store.samples import OWNER, new_message, submission

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO = Caller(uid=0, user="anna")


class Door:
    """A served store with one worker; the verbs of lists, asked as a client asks."""

    def __init__(self, store: Store, pool: Pool, path: Path) -> None:
        self.store = store
        self.nudges = 0
        self.client = Client(path, timeout=30)
        loaded = config.Config(gateway=config.Gateway(hostname="gateway.example.net"))
        self.running = Running(store=store, config=loaded, nudge=self._nudge, pool=pool)
        self.server = AdminServer(path, self.running)

    def _nudge(self) -> None:
        self.nudges += 1

    async def ask(self, method: str, *args: Any) -> Any:
        return await asyncio.to_thread(getattr(self.client, method), *args)

    async def steps(self, file: bytes, **query: Any) -> list[dict[str, Any]]:
        asked = {"type": "invoice", "name": "list.csv", **query}
        return await asyncio.to_thread(lambda: list(self.client.upload("/imports", file, asked)))

    async def look(self, file: bytes | str, **query: Any) -> dict[str, Any]:
        return (await self.steps(file.encode() if isinstance(file, str) else file, **query))[-1]

    async def apply(self, preview: dict[str, Any]) -> Any:
        return await self.ask("post", path_of("imports", preview["id"], "apply"), {})

    async def take(self, file: bytes | str, **query: Any) -> Any:
        return await self.apply(await self.look(file, **query))

    async def undo(self, batch: str, **values: Any) -> Any:
        return await self.ask("post", path_of("batches", batch, "undo"), values)

    async def rows(self) -> dict[str, dict[str, Any]]:
        return {f"{row['number']} {row['type']}": row for row in await self.ask("get", "/recipients")}

    async def put(self, number: str, **values: Any) -> Any:
        given = {"number": number, "email": f"{number}@customer.example", "type": "invoice", **values}
        return await self.ask("post", "/recipients", given)

    async def state(self) -> str:
        """A fingerprint of everything that the table of recipients holds."""
        rows = await self.store.read(
            lambda connection: [tuple(row) for row in connection.execute(sa.select(recipient))]
        )
        return hashlib.sha256(repr(rows).encode()).hexdigest()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    made = Pool(1)
    made.start()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def opened(now: dt.datetime, tmp_path: Path) -> AsyncIterator[Store]:
    """A store in the loop of the one pool that these tests share."""
    made = Store(tmp_path / "gateway.db")
    made.open()
    for name in ("default", "other"):
        await made.write(companies.ensure_company, name, now)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def door(opened: Store, pool: Pool, tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(opened, pool, tmp_path / "admin.sock")
    await made.server.start()
    yield made
    await made.server.stop()


LIST = """customer_number;email;name
1001;new@customer.example;
1002;1002@customer.example;Two
1003;3@customer.example;
"""


async def filled(door: Door) -> None:
    """1001 will be updated, 1002 stays as it is; the list creates 1003."""
    await door.put("1001", name="One", cc="copy@customer.example", language="sv", format="pdf")
    await door.put("1002", name="Two")


# --- looking ---------------------------------------------------------------------------------------------


async def test_a_preview_says_what_would_change_and_changes_nothing(door: Door) -> None:
    await filled(door)
    before = await door.state()
    found = await door.look(LIST)
    counts = {
        "create": 1,
        "update": 1,
        "unchanged": 1,
        "warnings": 0,
        "errors": 0,
        "comments": 0,
        "blanks": 0,
        "rows": 3,
    }
    assert found["counts"] == counts
    assert found["columns"] == {"number": "A", "email": "B", "name": "C"}
    assert found["sha256"] == hashlib.sha256(LIST.encode()).hexdigest()
    assert await door.ask("get", path_of("imports", found["id"], "changes")) == [
        {
            "row": 2,
            "cell": "B2",
            "kind": "update",
            "number": "1001",
            "was": {"email": ["1001@customer.example"], "name": "One"},
            "becomes": {"email": ["new@customer.example"], "name": None},
        },
        {
            "row": 4,
            "cell": "A4",
            "kind": "create",
            "number": "1003",
            "was": None,
            "becomes": {"number": "1003", "email": ["3@customer.example"]},
        },
    ]
    assert (await door.ask("get", path_of("imports", found["id"])))["counts"] == counts
    assert await door.state() == before


async def test_it_says_how_far_it_is(door: Door) -> None:
    lines = "".join(f"{number};a@customer.example\n" for number in range(11_000))
    states = [(step["state"], step.get("done")) for step in await door.steps(lines.encode())]
    assert states == [
        ("reading", None),
        ("comparing", 500),
        ("comparing", 5500),
        ("comparing", 10_500),
        ("ready", None),
    ]


async def test_the_gateway_answers_while_a_list_is_read(door: Door, pool: Pool) -> None:
    """The worker stands still until the status has been answered."""
    await pool.ready()
    for pid in pool.pids:
        os.kill(pid, signal.SIGSTOP)
    looking = asyncio.create_task(door.look(LIST))
    try:
        while not pool.busy:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert (await door.ask("get", "/status"))["version"]
        assert not looking.done()
    finally:
        for pid in pool.pids:
            os.kill(pid, signal.SIGCONT)
    assert (await looking)["counts"]["create"] == 3


async def test_the_gateway_answers_while_a_list_is_compared(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison stands still until the status has been answered."""
    begun, answered, waited = threading.Event(), threading.Event(), []
    compare = imports._compare

    def compare_later(*given: Any) -> Any:
        begun.set()
        waited.append(answered.wait(10))
        return compare(*given)

    monkeypatch.setattr(imports, "_compare", compare_later)
    looking = asyncio.create_task(door.look(LIST))
    assert await asyncio.to_thread(begun.wait, 10)
    assert (await door.ask("get", "/status"))["version"]
    answered.set()
    assert (await looking)["counts"]["create"] == 3
    assert waited == [True]


async def test_a_long_list_is_compared_piece_by_piece(door: Door) -> None:
    """Between any two pieces the loop has its turn: others wait for one piece at most."""
    turns = [0]

    async def count() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    lines = "".join(f"{number};a@customer.example\n" for number in range(10_000))
    seen = []
    query = {"type": "invoice", "name": "x"}
    async for step in imports.preview(door.running, query, lines.encode()):
        seen.append((step["state"], turns[0]))
    counting.cancel()
    first, last = seen[1][1], seen[-1][1]
    assert [state for state, _ in seen] == ["reading", "comparing", "comparing", "ready"]
    assert last - first >= 19  # of 20 pieces the first is compared before the first word


async def test_every_finding_is_listed_with_its_cell(door: Door) -> None:
    found = await door.look("number;email;cc\n1;x;y\n;a@customer.example;\n2;b@customer.example;\n")
    findings = await door.ask("get", path_of("imports", found["id"], "findings"))
    assert [(each["cell"], each["code"]) for each in findings] == [
        ("B2", "E-EMAIL"),
        ("C2", "E-CC"),
        ("A3", "E-NUMBER"),
    ]
    assert found["counts"]["errors"] == 3
    assert found["counts"]["create"] == 1


async def test_lists_of_many_findings_and_changes_come_whole(door: Door) -> None:
    lines = "".join(f"{number};a@customer.example\n" for number in range(1200)) + "x;y\n" * 1200
    found = await door.look(lines)
    assert len(await door.ask("get", path_of("imports", found["id"], "changes"))) == 1200
    assert len(await door.ask("get", path_of("imports", found["id"], "findings"))) == 1200


async def test_a_number_that_differs_in_its_zeros_is_a_warning(door: Door) -> None:
    await door.put("00123")
    found = await door.look("123;a@customer.example\n00123;b@customer.example\n")
    (finding,) = await door.ask("get", path_of("imports", found["id"], "findings"))
    assert (finding["cell"], finding["code"]) == ("A1", "W-ZEROS")
    assert "00123" in finding["sentence"]
    assert found["counts"]["warnings"] == 1
    assert (await door.apply(found))["counts"]["create"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"type": ""}, "type"),
        ({"type": "invoise"}, "type"),
        ({"company": "nobody"}, "company"),
        ({"comments": "keep"}, "comments"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_is_wrong_with_the_request_is_said_first(door: Door, query: dict[str, str], field: str) -> None:
    with pytest.raises(Refused) as caught:
        await door.look(LIST, **query)
    assert caught.value.field == field


async def test_a_file_that_is_no_list_is_refused(door: Door) -> None:
    with pytest.raises(Refused, match=r"PDF"):
        await door.look(b"%PDF-1.7")
    with pytest.raises(Refused, match="larger than"):
        await door.look(b"1" * (FILE_LIMIT + 1))
    assert not door.running.previews


async def test_comments_and_columns_by_request(door: Door) -> None:
    file = "1001;a@customer.example;note\n# x\n"
    assert (await door.look(file))["counts"]["errors"] == 1
    assert (await door.look(file, ignore="c"))["counts"]["errors"] == 0
    assert (await door.look(file, ignore="C", comments="reject"))["counts"]["errors"] == 1


async def test_a_list_that_needs_too_much_is_refused(
    opened: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(1, memory=96 << 20)
    pool.start()
    door = Door(opened, pool, tmp_path / "small.sock")
    await door.server.start()
    lines = "".join(f"{number};a{number}@customer.example\n" for number in range(20_000))
    try:
        with pytest.raises(Refused, match="more memory"):
            await door.look(("#" * 600 + "\n") * 30_000)
        monkeypatch.setattr(imports, "SECONDS", 0.05)
        with pytest.raises(Refused, match="more time"):
            await door.look(lines)
        monkeypatch.undo()
        assert (await door.look(LIST))["counts"]["rows"] == 3
    finally:
        await door.server.stop()
        await pool.close()


async def test_the_last_previews_are_kept(door: Door) -> None:
    found = [await door.look(LIST) for _ in range(imports.KEPT + 1)]
    with pytest.raises(NotFound):
        await door.apply(found[0])
    assert len(door.running.previews) == imports.KEPT
    assert (await door.apply(found[1]))["batch"]


@pytest.mark.slow
async def test_100000_rows_are_read_within_300_megabytes(pool: Pool) -> None:
    def cell(place: str, text: str) -> str:
        return f'<c r="{place}" s="3" t="inlineStr"><is><t>{text}</t></is></c>'

    rows = (
        cell(f"A{n}", f"{n:07d}") + cell(f"B{n}", f"kund{n}@company{n % 977}.example") + cell(f"C{n}", f"Kund {n} AB")
        for n in range(1, 100_001)
    )
    sheet = "".join(f'<row r="{n}" spans="1:3">{row}</row>' for n, row in enumerate(rows, 1))
    template = writing.write_table([["number", "email", "name"]], "T")
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(template)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                head, tail = content.decode().split("</sheetData>")
                shifted = re.sub(r'<row r="1".*', "", head) + sheet
                content = f"{shifted}</sheetData>{tail}".encode()
            new.writestr(name, content)
    options = {"type": "invoice", "types": ["invoice"], "formats": ["pdf"], "today": "2026-03-02", "ignore": ["C"]}
    said, _ = await pool.run("gateway.jobs:read_list", options, blob=out.getvalue(), timeout=60.0)
    assert (said["rows"], said["errors"]) == (100_000, 0)
    assert said["peak"] < 300 << 20


# --- writing ---------------------------------------------------------------------------------------------


async def test_a_list_is_one_batch_and_one_audit_entry(door: Door) -> None:
    await filled(door)
    before = await door.rows()
    answer = await door.take(LIST)
    rows = await door.rows()
    assert rows["1001 invoice"]["email"] == ["new@customer.example"]
    assert rows["1001 invoice"]["name"] is None  # an empty cell clears
    assert rows["1001 invoice"]["cc"] == ["copy@customer.example"]  # what has no column stays
    assert (rows["1001 invoice"]["language"], rows["1001 invoice"]["format"]) == ("sv", "pdf")
    assert rows["1001 invoice"]["version"] == 2
    assert rows["1002 invoice"] == before["1002 invoice"]
    assert rows["1003 invoice"]["email"] == ["3@customer.example"]
    (entry,) = await door.ask("get", "/audit", {"action": "recipient.import"})
    assert entry["object"] == answer["batch"]
    assert entry["company"] == "default"
    assert entry["uid"] == 0 or entry["user"]
    assert entry["after"] == {
        "file": "list.csv",
        "sha256": hashlib.sha256(LIST.encode()).hexdigest(),
        "type": "invoice",
        **answer["counts"],
    }
    (batch,) = await door.ask("get", "/batches", {"company": "default"})
    assert (batch["id"], batch["file"], batch["user"], batch["undone_at"]) == (
        answer["batch"],
        "list.csv",
        entry["user"],
        None,
    )
    assert await door.ask("get", "/batches", {"company": "other"}) == []


async def test_the_same_list_again_changes_nothing(door: Door) -> None:
    await door.take(LIST)
    before = await door.state()
    found = await door.look(LIST)
    assert (found["counts"]["create"], found["counts"]["update"], found["counts"]["unchanged"]) == (0, 0, 3)
    assert await door.apply(found) == {"batch": None, "counts": found["counts"], "released": 0}
    assert await door.state() == before
    assert len(await door.ask("get", "/audit", {"action": "recipient.import"})) == 1


async def test_one_error_and_nothing_is_written(door: Door) -> None:
    await filled(door)
    before = await door.state()
    lines = [f"{number};a{number}@customer.example" for number in range(10_000)]
    lines[7_000] = "7000;no address"
    found = await door.look("\n".join(lines))
    assert found["counts"]["create"] == 9_997
    with pytest.raises(Refused, match="1 error: nothing"):
        await door.apply(found)
    assert await door.state() == before


@pytest.mark.parametrize("change", ["updated", "unchanged", "created", "deleted"])
async def test_a_row_that_changed_since_the_preview_stops_the_list(door: Door, change: str) -> None:
    await filled(door)
    found = await door.look(LIST)
    rows = await door.rows()
    if change == "created":
        await door.put("1003")
    else:
        row = rows["1002 invoice" if change == "unchanged" else "1001 invoice"]
        verb = ("delete", path_of("recipients", row["id"]))
        if change != "deleted":
            verb = ("patch", path_of("recipients", row["id"]), {"cc": "b@customer.example"})  # type: ignore[assignment]
        await door.ask(*verb)
    before = await door.state()
    with pytest.raises(Conflict) as caught:
        await door.apply(found)
    number = {"created": "1003", "unchanged": "1002"}.get(change, "1001")
    assert caught.value.current == {"numbers": [number]}
    assert number in caught.value.sentence
    assert await door.state() == before
    assert await door.ask("get", "/batches") == []
    assert (await door.take(LIST))["batch"]  # a new look sees the change


async def test_a_list_touches_its_type_and_its_company_only(door: Door) -> None:
    await filled(door)
    await door.put("1001", type="order")
    await door.put("1001", type="any")
    await door.put("1001", company="other")
    before = await door.rows()
    await door.take("1001;x@customer.example\n", type="order")
    rows = await door.rows()
    assert rows.pop("1001 order")["email"] == ["x@customer.example"]
    before.pop("1001 order")
    assert rows == before
    found = await door.look("1001;x@customer.example\n", type="any", company="other")
    assert found["counts"]["create"] == 1


async def test_a_basic_company_may_not_import_lists(door: Door) -> None:
    found = await door.look(LIST)
    await door.ask("put", "/settings/advanced", {"value": "false"}, {"company": "default"})
    for act in (door.look(LIST), door.apply(found)):
        with pytest.raises(Refused, match="advanced") as caught:
            await act
        assert caught.value.field == "company"
    assert await door.rows() == {}


def held(connection: Connection, number: str, now: dt.datetime) -> int:
    """A document that is held for a recipient of this number."""
    submissions.accept(connection, submission(now), now)
    (claimed,) = submissions.claim(connection, OWNER, now, now + dt.timedelta(minutes=5), 1)
    new = submissions.NewDocument(file_name="a.xml", media_type="application/xml", fields=claimed.fields)
    (found,) = submissions.finish(connection, claimed, [new], OWNER, now, now + dt.timedelta(minutes=5))
    why = documents.Hold(cause=f"no-recipient:{number}", sentence="No row.", wakes=(f"recipient:default:{number}",))
    documents.hold(connection, found.id, OWNER, documents.Finding(), why, meta.wakes(connection), now)
    return int(found.id)


async def test_held_documents_go_on_for_rows_that_are_created_or_updated(door: Door, now: dt.datetime) -> None:
    await filled(door)
    ids = [await door.store.write(held, number, now) for number in ("1001", "1002", "1003", "1003", "1004")]
    found = await door.look(LIST)
    assert found["would_release"] == 3
    assert (await door.apply(found))["released"] == 3
    assert door.nudges == 1

    def states(connection: Connection) -> dict[int, str]:
        found = connection.execute(sa.select(document.c.id, document.c.state))
        return {row.id: row.state for row in found}

    state = await door.store.read(states)
    assert [state[each] for each in ids] == ["received", "held", "received", "received", "held"]


def sent(connection: Connection, number: str, addresses: list[str], type_: str, days: int, now: dt.datetime) -> None:
    """A document of so many days ago that went to these addresses."""
    submissions.accept(connection, submission(now), now)
    (claimed,) = submissions.claim(connection, OWNER, now, now + dt.timedelta(minutes=5), 1)
    new = submissions.NewDocument(file_name="a.xml", media_type="application/xml", fields=claimed.fields)
    (found,) = submissions.finish(connection, claimed, [new], OWNER, now, now + dt.timedelta(minutes=5))
    messages.queue(connection, found.id, OWNER, documents.Finding(), new_message(now, *addresses), now)
    values = {"customer_number": number, "type": type_, "received_at": now - dt.timedelta(days=days)}
    connection.execute(sa.update(document).where(document.c.id == found.id).values(values))


async def test_it_says_how_many_documents_would_have_gone_elsewhere(door: Door, now: dt.datetime) -> None:
    await filled(door)
    now = dt.datetime.now(dt.UTC)
    for number, addresses, type_, days in (
        ("1001", ["1001@customer.example", "copy@customer.example"], "invoice", 1),  # would go to new@
        ("1001", ["new@customer.example", "copy@customer.example"], "invoice", 1),  # went there already
        ("1001", ["1001@customer.example"], "order", 1),  # the list is for invoices
        ("1001", ["1001@customer.example"], "invoice", 100),  # too long ago
        ("1002", ["old@customer.example"], "invoice", 1),  # the list changes no address of 1002
        ("1003", ["said@in.document.example"], "invoice", 1),  # the new row would decide
    ):
        await door.store.write(sent, number, addresses, type_, days, now)
    assert (await door.look(LIST))["would_go_elsewhere"] == 2
    assert (await door.look(LIST.replace("new@", "1001@")))["would_go_elsewhere"] == 1  # only the name changes then


async def test_a_plan_can_be_gone_through_twice(door: Door) -> None:
    """The writer runs a verb again when another of its transaction failed."""
    found = await door.look(LIST)
    kept = next(iter(door.running.previews.values()))
    assert list(kept) == list(kept)
    assert len(list(kept)) == found["counts"]["rows"]


async def test_a_preview_is_written_once(door: Door) -> None:
    found = await door.look(LIST)
    answers = await asyncio.gather(door.apply(found), door.apply(found), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers)[1] == "dict"
    assert sum(isinstance(answer, (Conflict, NotFound)) for answer in answers) == 1
    assert len(await door.ask("get", "/batches")) == 1


# --- taking back -----------------------------------------------------------------------------------------


async def test_undo_deletes_what_was_created_and_restores_what_was_changed(door: Door) -> None:
    await filled(door)
    before = await door.rows()
    batch = (await door.take(LIST))["batch"]
    answer = await door.undo(batch)
    assert answer["counts"] == {"deleted": 1, "restored": 1, "kept": 0}
    after = await door.rows()
    assert {**after["1001 invoice"], "version": 1} == before["1001 invoice"]
    assert after["1001 invoice"]["version"] == 3
    assert after["1002 invoice"] == before["1002 invoice"]
    assert "1003 invoice" not in after
    (entry,) = await door.ask("get", "/audit", {"action": "recipient.undo"})
    assert (entry["object"], entry["after"]) == (batch, answer["counts"])
    (shown,) = await door.ask("get", "/batches")
    assert shown["undone_at"]
    assert shown["undone_by"] == entry["user"]
    with pytest.raises(Refused, match="already"):
        await door.undo(batch)
    assert (await door.take(LIST))["counts"]["create"] == 1  # and it can be imported again


async def test_a_long_list_is_taken_back_whole(door: Door) -> None:
    await door.take("".join(f"{number};a@customer.example\n" for number in range(1300)))
    batch = (await door.take("".join(f"{number};b@customer.example\n" for number in range(700, 2000))))["batch"]
    assert (await door.undo(batch))["counts"] == {"deleted": 700, "restored": 600, "kept": 0}
    assert {row["email"][0] for row in (await door.rows()).values()} == {"a@customer.example"}
    assert len(await door.rows()) == 1300


async def test_undo_stops_at_rows_that_were_changed_since(door: Door) -> None:
    await filled(door)
    batch = (await door.take(LIST))["batch"]
    row = (await door.rows())["1001 invoice"]
    await door.ask("patch", path_of("recipients", row["id"]), {"name": "Mine"})
    before = await door.state()
    with pytest.raises(Conflict) as caught:
        await door.undo(batch)
    assert caught.value.current == {"numbers": ["1001"]}
    assert await door.state() == before
    answer = await door.undo(batch, keep_changed=True)
    assert answer["counts"] == {"deleted": 1, "restored": 0, "kept": 1}
    assert (await door.rows())["1001 invoice"]["name"] == "Mine"


async def test_undo_lets_documents_go_on(door: Door, now: dt.datetime) -> None:
    await filled(door)
    batch = (await door.take(LIST))["batch"]
    await door.store.write(held, "1003", now)
    assert (await door.undo(batch))["released"] == 1
    assert door.nudges == 1


@pytest.mark.parametrize("values", [{"keep_changed": "yes"}, {"keep": True}])
async def test_undo_asks_for_what_it_knows(door: Door, values: dict[str, Any]) -> None:
    batch = (await door.take(LIST))["batch"]
    with pytest.raises(Refused) as caught:
        await door.undo(batch, **values)
    assert caught.value.field in values


async def test_undo_of_no_batch(door: Door) -> None:
    with pytest.raises(NotFound):
        await door.undo("0000000000000")


# --- round trip ------------------------------------------------------------------------------------------


ODD = (
    Recipient(number="0001001", email=("a@customer.example", "b@customer.example"), type="invoice", name="=1+1"),
    Recipient(number="=1+1", email=("+b@customer.example",), cc=("-c@customer.example",), type="invoice"),
    Recipient(number="@x", email=("=d@customer.example",), type="invoice", name='"quoted"; and, more', language="sv"),
    Recipient(number="-1", email=('"a;b"@customer.example',), type="invoice", name="日本 ÅÄÖ _x0041_", format="pdf"),
    Recipient(
        number="'+1",
        email=("e@xn--kpare-jua.example",),
        type="invoice",
        name="'t Hart",
        attach="with-pdf",
        file_name="{{ type }}-{{ number }}",
        constants=("BT-10=04011000-12345-34", "BT-49=0204:991-1"),
    ),
    Recipient(number="1E+5", email=("f@customer.example",), type="invoice", name="2026-01-01"),
)


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
async def test_an_export_is_imported_unchanged(door: Door, now: dt.datetime, kind: str) -> None:
    def fill(connection: Connection) -> None:
        company = companies.company_id(connection, "default")
        for row in ODD[:5]:
            recipients.add(connection, company, row, WHO, now)

    await door.store.write(fill)
    rows = await door.ask("get", "/recipients")
    for language in ("en", "fr", "de", "sv"):
        file = writing.export(rows, language) if kind == "xlsx" else writing.export_csv(rows, language)
        found = await door.look(file)
        assert await door.ask("get", path_of("imports", found["id"], "findings")) == []
        assert await door.ask("get", path_of("imports", found["id"], "changes")) == []
        assert found["counts"]["unchanged"] == 5
