"""The admin API over a real Unix socket, with a real store behind it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import re
import socket
import stat
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway import config
from gateway.admin.pages import PAGE
from gateway.admin.running import Running
from gateway.api import AdminServer
from gateway.client import Client, connect, path_of
from gateway.errors import Conflict, Forbidden, NotFound, Refused
from gateway.intake.trial import Facts, Trial
from gateway.model import Recipient
from gateway.store import Store, claims, companies, documents, messages, meta, recipients, schema, submissions, views
from gateway.store.audit import Caller
from tests.store.samples import OWNER, new_message, submission
from tests.store.test_retention import sent

CONFIG = config.Config(
    gateway=config.Gateway(hostname="gateway.example.net"),
    sources=(config.Source(name="local", networks=("127.0.0.0/8",)), config.Source(name="drop", folder=Path("/drop"))),
)


class Door:
    """A served store and its client; `ask` runs a client's method beside the loop."""

    def __init__(self, store: Store, path: Path) -> None:
        self.store = store
        self.nudges = 0
        self.no_room: str | None = None
        self.folders: dict[str, Facts] = {}
        self.client = Client(path, timeout=10)
        self.running = Running(
            store=store,
            config=CONFIG,
            listeners=lambda: [{"address": "127.0.0.1:40125", "port": 40125, "tls": "none"}],
            nudge=self._nudge,
            room=lambda: self.no_room,
            folders=lambda: self.folders,
        )
        self.server = AdminServer(path, self.running)

    def _nudge(self) -> None:
        self.nudges += 1

    async def ask(self, method: str, *args: Any, **more: Any) -> Any:
        return await asyncio.to_thread(getattr(self.client, method), *args, **more)

    async def raw(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self.client.path))
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer


@pytest.fixture
async def door(store: Store, now: dt.datetime, tmp_path: Path) -> AsyncIterator[Door]:
    for name in ("default", "other"):
        await store.write(companies.ensure_company, name, now)
    made = Door(store, tmp_path / "admin.sock")
    await made.server.start()
    yield made
    await made.server.stop()


def put(connection: Any, now: dt.datetime, hold: str | None = None) -> int:
    """A document: held for a recipient of number `hold`, else queued with one delivery."""
    submissions.accept(connection, submission(now, b"original bytes"), now)
    (claimed,) = submissions.claim(connection, OWNER, now, now + dt.timedelta(minutes=5), 1)
    new = submissions.NewDocument(file_name="å.xml", media_type="application/xml", fields=claimed.fields)
    (found,) = submissions.finish(connection, claimed, [new], OWNER, now, now + dt.timedelta(minutes=5))
    if hold is None:
        messages.queue(connection, found.id, OWNER, documents.Finding(), new_message(now, "a@example.com"), now)
    else:
        why = documents.Hold(cause=f"no-recipient:{hold}", sentence="No row.", wakes=(f"recipient:default:{hold}",))
        documents.hold(connection, found.id, OWNER, documents.Finding(), why, meta.wakes(connection), now)
    return int(found.id)


# --- the socket ------------------------------------------------------------------------------------------


async def test_socket_is_for_owner_and_group(door: Door) -> None:
    mode = os.stat(door.client.path).st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660


async def test_socket_goes_with_the_server(door: Door) -> None:
    await door.server.stop()
    assert not door.client.path.exists()
    with pytest.raises(Refused, match=r"not running.*gateway serve"):
        await door.ask("get", "/status")


async def test_stale_socket_is_replaced(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "stale.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    door = Door(store, path)
    await door.server.start()
    assert (await door.ask("get", "/status"))["hostname"] == "gateway.example.net"
    await door.server.stop()


async def test_second_server_is_refused_and_the_first_lives(door: Door) -> None:
    with pytest.raises(Refused, match="Another gateway"):
        await Door(door.store, door.client.path).server.start()
    assert await door.ask("get", "/companies")


async def test_socket_may_have_a_long_path(store: Store, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    door = Door(store, deep / "admin.sock")
    await door.server.start()
    assert (await door.ask("get", "/status"))["pid"] == os.getpid()
    await door.server.stop()


async def test_stop_waits_for_no_idle_connection(door: Door) -> None:
    idle = await asyncio.to_thread(connect, door.client.path)
    await asyncio.wait_for(door.server.stop(), 4)
    idle.close()


async def test_caller_is_who_the_kernel_says(door: Door) -> None:
    await door.ask("post", "/companies", {"name": "acme"})
    (row,) = await door.ask("get", "/audit", {"action": "company.add"})
    assert (row["uid"], row["object"]) == (os.getuid(), "acme")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_other_users_are_refused(store: Store) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        door = Door(store, Path(folder) / "admin.sock")
        await door.server.start()
        os.chmod(door.client.path, 0o666)
        out = await _as_nobody(door.client.path)
        await door.server.stop()
    assert out.startswith(b"HTTP/1.1 403")
    assert b"only its owner and root" in out


async def _as_nobody(path: Path) -> bytes:
    """What the process of another user is answered."""
    script = (
        "import os, sys, socket; os.setgid(65534); os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
        "s.connect(sys.argv[1]); s.sendall(b'GET /status HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');"
        "print(s.makefile('rb').read().decode())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", script, str(path), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return out


# --- errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        (b"GET /nothing HTTP/1.1", 404, "nothing the gateway does"),
        (b"DELETE /status HTTP/1.1", 405, "nothing the gateway does"),
        (b"GET /documents?stat=held HTTP/1.1", 400, "state"),
        (b"GET /documents?limit=-1 HTTP/1.1", 400, "limit"),
        (b"GET /documents?state=sending HTTP/1.1", 400, "partly_sent"),
        (b"GET /documents?submission=F-77 HTTP/1.1", 400, "13 characters"),
        (b"GET /queue?state=received HTTP/1.1", 400, "deferred"),
        (b"GET /documents?since=monday HTTP/1.1", 400, "since"),
        (b"GET /documents/nonsense HTTP/1.1", 400, "not an id"),
        (b"GET /documents/0000000000000 HTTP/1.1", 404, "no such document"),
        (b"GET /documents?company=nobody HTTP/1.1", 404, "nobody"),
        (b"GET /settings/sender.prefx HTTP/1.1", 404, "sender.prefix"),
        (b"GET /recipients?company=nobody HTTP/1.1", 404, "nobody"),
    ],
)
async def test_error_is_one_json_sentence(door: Door, request_: bytes, status: int, says: str) -> None:
    answer = await door.raw(request_ + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    said = json.loads(body)
    assert set(said) == {"error", "field"}
    assert says in said["error"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b"\xff"])
async def test_body_must_be_a_json_object(door: Door, body: bytes) -> None:
    request = b"POST /recipients HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert (await door.raw(request + body)).startswith(b"HTTP/1.1 400 ")


async def test_body_is_bounded(door: Door) -> None:
    with pytest.raises(Refused, match="larger"):
        await door.ask("post", "/recipients", {"number": "x" * (1 << 21)})


# --- recipients ------------------------------------------------------------------------------------------


async def test_recipient_from_add_to_delete(door: Door) -> None:
    added = await door.ask("post", "/recipients", {"number": "1001", "email": "a@example.com; b@example.com"})
    assert {**added, "id": ""} == {
        "id": "",
        "company": "default",
        "number": "1001",
        "email": ["a@example.com", "b@example.com"],
        "cc": [],
        "type": "any",
        "format": None,
        "name": None,
        "language": None,
        "attach": None,
        "file_name": None,
        "constants": [],
        "version": 1,
        "released": 0,
    }
    path = path_of("recipients", added["id"])
    changed = await door.ask("patch", path, {"cc": "c@example.com", "type": "invoice"}, version=1)
    assert (changed["cc"], changed["type"], changed["version"]) == (["c@example.com"], "invoice", 2)
    assert changed["email"] == added["email"]
    assert (await door.ask("get", path))["version"] == 2
    assert len(await door.ask("get", "/recipients", {"search": "c@ex"})) == 1
    await door.ask("delete", path, version=2)
    assert await door.ask("get", "/recipients") == []
    with pytest.raises(NotFound):
        await door.ask("get", path)


async def test_second_save_of_one_version_is_a_conflict(door: Door) -> None:
    added = await door.ask("post", "/recipients", {"number": "1", "email": "a@example.com"})
    path = path_of("recipients", added["id"])
    await door.ask("patch", path, {"name": "first"}, version=1)
    with pytest.raises(Conflict) as caught:
        await door.ask("patch", path, {"name": "second"}, version=1)
    assert (caught.value.current["name"], caught.value.current["version"]) == ("first", 2)
    with pytest.raises(Conflict):
        await door.ask("patch", path, {"name": "second", "version": 1})
    with pytest.raises(Conflict):
        await door.ask("delete", path, version=1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "a@example.com"}, "number"),
        ({"number": "1"}, "email"),
        ({"number": "1", "email": "nonsense"}, "email"),
        ({"number": "1", "email": "a@example.com", "cc": "nonsense"}, "cc"),
        ({"number": "1", "email": "a@example.com", "type": "invoise"}, "type"),
        ({"number": "1", "email": "a@example.com", "format": "docx"}, "format"),
        ({"number": "1", "email": "a@example.com", "colour": "red"}, "colour"),
        ({"number": "1", "email": "a@example.com", "company": "nobody"}, "company"),
    ],
)
async def test_recipient_is_refused_by_field(door: Door, values: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as caught:
        await door.ask("post", "/recipients", values)
    assert caught.value.field == field
    assert await door.ask("get", "/recipients") == []
    assert await door.ask("get", "/audit") == []


async def test_added_recipient_releases_what_waits_for_it(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now, "1001")
    added = await door.ask("post", "/recipients", {"number": "1001", "email": "a@example.com"})
    assert added["released"] == 1
    assert door.nudges == 1
    (found,) = await door.ask("get", "/documents")
    assert (found["state"], found["cause"]) == ("received", None)


async def test_basic_company_may_not_choose_a_format(door: Door) -> None:
    row = {"number": "1", "email": "a@example.com", "format": "ubl"}
    added = await door.ask("post", "/recipients", row)
    await door.ask("put", "/settings/advanced", {"value": False})
    with pytest.raises(Refused, match="advanced") as caught:
        await door.ask("post", "/recipients", {**row, "number": "2"})
    assert caught.value.field == "format"
    kept = await door.ask("patch", path_of("recipients", added["id"]), {"name": "Acme"})
    assert (kept["format"], kept["name"]) == ("ubl", "Acme")


async def test_long_list_comes_whole_page_by_page(door: Door, now: dt.datetime) -> None:
    count = 2 * PAGE + 7

    def fill(connection: Any) -> None:
        mine = companies.company_id(connection, "default")
        who = Caller(uid=0, user="root")
        for number in range(count):
            row = Recipient(number=str(number), email=(f"a{number}@example.com",))
            recipients.add(connection, mine, row, who, now)

    await door.store.write(fill)
    rows = await door.ask("get", "/recipients")
    assert len({row["number"] for row in rows}) == len(rows) == count
    assert [row["number"] for row in rows] == sorted(str(number) for number in range(count))
    assert len(await door.ask("get", "/recipients", {"limit": PAGE + 3})) == PAGE + 3
    assert len(await door.ask("get", "/recipients", {"limit": PAGE})) == PAGE
    audited = await door.ask("get", "/audit")
    assert len({row["id"] for row in audited}) == count
    assert [row["id"] for row in audited] == sorted((row["id"] for row in audited), reverse=True)


# --- settings --------------------------------------------------------------------------------------------


async def test_setting_is_set_and_reset(door: Door) -> None:
    saved = await door.ask("put", "/settings/sender.prefix", {"value": "acme"})
    assert (saved["value"], saved["default"]) == ("acme", "noreply")
    assert (await door.ask("get", "/settings/sender.prefix"))["value"] == "acme"
    other = await door.ask("get", "/settings/sender.prefix", {"company": "other"})
    assert (other["value"], other["version"]) == ("noreply", 0)
    assert (await door.ask("put", "/settings/sender.prefix", {"value": None}))["value"] == "noreply"


async def test_settings_conflict(door: Door) -> None:
    saved = await door.ask("put", "/settings/language", {"value": "fr", "version": 0})
    with pytest.raises(Conflict) as caught:
        await door.ask("put", "/settings/language", {"value": "de", "version": 0})
    assert caught.value.current["value"] == "fr"
    await door.ask("put", "/settings/language", {"value": "de", "version": saved["version"]})


async def test_all_settings_are_listed(door: Door) -> None:
    await door.ask("put", "/settings/template.invoice.nl.subject", {"value": "Factuur {{ number }}"})
    rows = {row["key"]: row for row in await door.ask("get", "/settings")}
    assert rows["distribution.active"]["value"] is True
    assert rows["format.invoice"]["value"] == "pdf"
    assert rows["template.invoice.nl.subject"]["value"] == "Factuur {{ number }}"
    assert "{{ number }}" in rows["template.any.fr.subject"]["value"]


async def test_basic_company_has_locked_settings(door: Door) -> None:
    await door.ask("put", "/settings/sender.prefix", {"value": "acme"})
    await door.ask("put", "/settings/advanced", {"value": "false"})
    rows = {row["key"]: row for row in await door.ask("get", "/settings")}
    locked = {key for key, row in rows.items() if row["locked"]}
    assert {"sender.prefix", "sender.name", "sender.reply_to", "format.invoice", "format.any"} <= locked
    assert not {"distribution.active", "language", "template.any.en.subject", "advanced"} & locked
    assert rows["sender.prefix"]["value"] == "noreply"
    for key, value in (("sender.prefix", "x"), ("sender.name", "x"), ("format.invoice", "ubl")):
        with pytest.raises(Refused, match="advanced") as caught:
            await door.ask("put", path_of("settings", key), {"value": value})
        assert caught.value.field == key
    await door.ask("put", "/settings/advanced", {"value": "true"})
    assert (await door.ask("get", "/settings/sender.prefix"))["value"] == "acme"


async def test_bad_template_is_refused_by_key(door: Door) -> None:
    for text in ("{{ nonsense }}", "{% for x in y %}", "{{ number.__class__ }}"):
        with pytest.raises(Refused) as caught:
            await door.ask("put", "/settings/template.any.en.subject", {"value": text})
        assert caught.value.field == "template.any.en.subject"


async def test_switch_holds_and_releases(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now)
    assert (await door.ask("put", "/settings/distribution.active", {"value": "false"}))["held"] == 1
    (waiting,) = await door.ask("get", "/queue")
    assert (waiting["state"], waiting["cause"]) == ("held", "distribution-off")
    with pytest.raises(Refused, match="switched off"):
        await door.ask("post", "/queue/release", {"ids": [waiting["id"]]})
    assert (await door.ask("put", "/settings/distribution.active", {"value": "true"}))["released"] == 1
    assert (await door.ask("get", "/queue"))[0]["state"] == "queued"


# --- documents -------------------------------------------------------------------------------------------


async def test_document_as_the_contract_says(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now)
    (found,) = await door.ask("get", "/documents")
    names = {
        "id",
        "company",
        "source",
        "received_at",
        "type",
        "number",
        "customer_number",
        "state",
        "cause",
        "deliveries",
    }
    assert names <= set(found)
    assert isinstance(found["id"], str)
    assert found["received_at"].endswith("Z")
    (delivery,) = found["deliveries"]
    assert {"id", "recipient", "state", "attempts", "next_attempt_at", "last_reply"} <= set(delivery)
    assert delivery["recipient"] == "a@example.com"
    assert (await door.ask("get", path_of("documents", found["id"])))["envelope"]["rcpt_to"] == ["1001"]
    original = await asyncio.to_thread(
        lambda: b"".join(door.client.stream(path_of("documents", found["id"], "original")))
    )
    assert original == b"original bytes"


async def test_held_document_is_explained_and_released(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now, "1001")
    (found,) = await door.ask("get", "/documents", {"cause": "no-recipient"})
    trace = await door.ask("get", path_of("documents", found["id"], "trace"))
    assert (trace["cause"], trace["sentence"], trace["trace"]) == ("no-recipient:1001", "No row.", [])
    released = await door.ask("post", "/documents/release", {"ids": [found["id"]], "reason": "asked\nfor"})
    assert released == {"released": 1}
    (row,) = await door.ask("get", "/audit", {"action": "document.release"})
    assert (row["object"], row["before"]["state"], row["after"]["state"]) == (found["id"], "held", "received")
    assert (row["reason"], row["company"]) == ("asked for", "default")
    with pytest.raises(Refused):
        await door.ask("post", path_of("documents", found["id"], "release"), {})


async def test_all_documents_are_released_or_none(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now, "1001")
    await door.store.write(put, now)
    ids = [row["id"] for row in await door.ask("get", "/documents")]
    with pytest.raises(Refused):
        await door.ask("post", "/documents/release", {"ids": ids})
    assert sorted(row["state"] for row in await door.ask("get", "/documents")) == ["held", "queued"]
    assert await door.ask("get", "/audit") == []


async def test_document_is_cancelled_and_sent_again(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now)
    (found,) = await door.ask("get", "/documents")
    path = path_of("documents", found["id"])
    with pytest.raises(Refused):
        await door.ask("post", f"{path}/resend", {})
    assert await door.ask("post", f"{path}/cancel", {"reason": "wrong"}) == {"cancelled": 1}
    assert (await door.ask("get", path))["state"] == "cancelled"
    with pytest.raises(Refused) as caught:
        await door.ask("post", f"{path}/resend", {"to": "nonsense"})
    assert caught.value.field == "to"
    assert (await door.ask("post", f"{path}/resend", {"to": "b@example.com"}))["state"] == "received"
    actions = [row["action"] for row in await door.ask("get", "/audit", {"object": found["id"]})]
    assert actions == ["document.resend", "document.look", "document.cancel"]


# --- queue, status and the rest --------------------------------------------------------------------------


async def test_deliveries_are_steered(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now)
    (waiting,) = await door.ask("get", "/queue")
    ids = {"ids": [waiting["id"]]}
    for verb, state in (("hold", "held"), ("release", "queued"), ("retry", "queued"), ("cancel", "cancelled")):
        assert await door.ask("post", f"/queue/{verb}", ids) == {"changed": 1}
        (after,) = await door.ask("get", "/queue", {"document": waiting["document"]})
        assert after["state"] == state
    assert await door.ask("get", "/queue") == []
    assert (await door.ask("get", "/documents"))[0]["state"] == "cancelled"
    rows = await door.ask("get", "/audit", {"action": "delivery"})
    assert [row["action"].partition(".")[2] for row in rows] == ["cancel", "retry", "release", "hold"]


async def test_queue_is_steered_as_a_whole(door: Door, now: dt.datetime) -> None:
    for _ in range(3):
        await door.store.write(put, now)
    assert await door.ask("post", "/queue/hold", {"company": "other"}) == {"changed": 0}
    assert await door.ask("post", "/queue/hold", {"next_hop": "capture"}) == {"changed": 3}
    assert await door.ask("post", "/queue/release", {"all": True}) == {"changed": 3}
    for wrong in ({}, {"all": True, "company": "other"}):
        with pytest.raises(Refused):
            await door.ask("post", "/queue/hold", wrong)
    with pytest.raises(NotFound):
        await door.ask("post", "/queue/burn", {"all": True})


async def test_next_hop_is_paused(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now)
    paused = await door.ask("post", "/queue/pause", {"next_hop": "capture", "until": "2026-03-03", "reason": "night"})
    assert paused["paused_until"] == "2026-03-03T00:00:00Z"
    (hop,) = await door.ask("get", "/queue/hops")
    assert (hop["next_hop"], hop["reason"], hop["queued"]) == ("capture", "night", 1)
    await door.ask("post", "/queue/resume", {"next_hop": "capture"})
    with pytest.raises(Refused):
        await door.ask("post", "/queue/resume", {"next_hop": "capture"})
    with pytest.raises(NotFound):
        await door.ask("post", "/queue/pause", {"next_hop": "nowhere"})


async def test_status_and_metrics(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now, "1001")
    found = await door.ask("get", "/status")
    assert found["listeners"] == [{"address": "127.0.0.1:40125", "port": 40125, "tls": "none"}]
    assert found["documents"]["held"] == 1
    assert found["held"] == {"no-recipient:1001": 1}
    assert 'gateway_documents{state="held"} 1.0' in await scraped(door)


async def scraped(door: Door) -> str:
    return (await asyncio.to_thread(lambda: b"".join(door.client.stream("/metrics")))).decode()


async def test_metrics_say_how_old_contents_are_and_what_all_takes(door: Door) -> None:
    await door.store.write(sent, dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
    said = await scraped(door)
    (age,) = re.findall(r"(?m)^gateway_oldest_content_seconds (\S+)", said)
    assert 3600 <= float(age) < 3700
    (size,) = re.findall(r"(?m)^gateway_database_bytes (\S+)", said)
    assert float(size) > 16384
    assert "gateway_database_unused_bytes 0.0" in said


async def test_metrics_say_what_waits_in_a_folder(door: Door, tmp_path: Path) -> None:
    since = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    door.folders = {"drop": Facts(waiting=3, oldest=since, trial=Trial(at=since, problem="x"))}
    said = await scraped(door)
    assert 'gateway_folder_waiting_files{source="drop"} 3.0' in said
    assert 'gateway_folder_writable{source="drop"} 0.0' in said
    (age,) = re.findall(r'(?m)^gateway_folder_oldest_seconds\{source="drop"\} (\S+)', said)
    assert 3600 <= float(age) < 3700
    door.folders = {"drop": Facts(waiting=0, trial=Trial(at=since))}
    said = await scraped(door)
    assert 'gateway_folder_oldest_seconds{source="drop"} 0.0' in said
    assert 'gateway_folder_writable{source="drop"} 1.0' in said
    (folder,) = (await door.ask("get", "/health"))["folders"]
    assert (folder["folder"], folder["writable"], folder["free"]) == ("/drop", True, None)


async def test_status_and_metrics_say_why_nothing_is_taken_in(door: Door) -> None:
    assert (await door.ask("get", "/status"))["no_room"] is None
    assert "gateway_intake_open 1.0" in await scraped(door)
    door.no_room = "the disk has only 3 MiB free"
    assert (await door.ask("get", "/status"))["no_room"] == door.no_room
    assert "gateway_intake_open 0.0" in await scraped(door)


async def test_status_and_metrics_say_what_is_late_and_what_is_paused(door: Door) -> None:
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    await door.store.write(put, long_ago)
    (late,) = re.findall(r"(?m)^gateway_oldest_due_seconds (\S+)", await scraped(door))
    assert 3600 <= float(late) < 3700
    await door.ask("post", "/queue/pause", {"next_hop": "capture"})
    assert (await door.ask("get", "/status"))["paused"] == ["capture"]
    assert "gateway_oldest_due_seconds 0.0" in await scraped(door)
    await door.ask("post", "/queue/pause", {"next_hop": "capture", "until": "2026-03-02"})
    assert (await door.ask("get", "/status"))["paused"] == []


async def test_status_and_metrics_say_who_refuses_us(door: Door) -> None:
    assert "gateway_next_hops_stopped 0.0" in await scraped(door)
    until = dt.datetime(2126, 1, 1, tzinfo=dt.UTC)
    said = {"paused_by": claims.BY_ITSELF, "paused_until": until, "reason": "it refuses us: 550 no"}
    stopped = sa.insert(schema.next_hop).values(name="a.example", **said)
    await door.store.write(lambda connection: connection.execute(stopped).rowcount)
    (hop,) = (await door.ask("get", "/status"))["stopped"]
    assert hop == {"next_hop": "a.example", "reason": "it refuses us: 550 no", "until": "2126-01-01T00:00:00Z"}
    assert "gateway_next_hops_stopped 1.0" in await scraped(door)


async def test_an_overview_names_the_commonest_causes(
    door: Door, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "CAUSES", 1)
    for number in ("1001", "1002", "1002"):
        await door.store.write(put, now, number)
    assert (await door.ask("get", "/status"))["held"] == {"no-recipient:1002": 2}


async def test_sources_are_those_of_the_file(door: Door) -> None:
    local, drop = await door.ask("get", "/sources")
    assert (local["name"], local["networks"], local["folder"]) == ("local", ["127.0.0.0/8"], None)
    assert (drop["name"], drop["folder"]) == ("drop", "/drop")


async def test_companies(door: Door) -> None:
    await door.ask("post", "/companies", {"name": "acme-fr"})
    assert [row["name"] for row in await door.ask("get", "/companies")] == ["acme-fr", "default", "other"]
    for name in ("", "a b", "a:b", "../x", "x" * 65, 7, "acme-fr"):
        with pytest.raises(Refused) as caught:
            await door.ask("post", "/companies", {"name": name})
        assert caught.value.field == "name"


async def test_backup_holds_what_the_database_holds(door: Door, tmp_path: Path) -> None:
    await door.ask("post", "/recipients", {"number": "1001", "email": "a@example.com"})
    made = await door.ask("post", "/backup", {"file": str(tmp_path / "copy.db")})
    assert made["size"] == (tmp_path / "copy.db").stat().st_size
    for name in (str(tmp_path / "copy.db"), "relative.db", ""):
        with pytest.raises(Refused):
            await door.ask("post", "/backup", {"file": name})
    copy = Store(tmp_path / "copy.db")
    copy.open()
    other = Door(copy, tmp_path / "copy.sock")
    await other.server.start()
    assert [row["number"] for row in await other.ask("get", "/recipients")] == ["1001"]
    await other.server.stop()
    await copy.close()


async def test_nobody_may_who_may_not_connect(door: Door) -> None:
    if os.getuid() == 0:
        pytest.skip("root may always connect")
    os.chmod(door.client.path, 0)
    with pytest.raises(Forbidden):
        await door.ask("get", "/status")
