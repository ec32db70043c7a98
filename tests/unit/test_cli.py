"""The command line: its shape, its text, and every verb against a served store."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import importlib
import io
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway import cli, config
from gateway.admin.running import Running
from gateway.api import AdminServer
from gateway.cli import text
from gateway.errors import Refused
from gateway.intake.trial import Facts, Trial
from gateway.model import show_id
from gateway.store import Store, audit, claims, companies, documents, messages, meta, retention, schema, submissions
from tests.conftest import ROOT
from tests.store.samples import OWNER, new_message, submission
from tests.store.test_retention import sent

CONFIG = '[gateway]\nadmin_socket = "admin.sock"\ndatabase = "sqlite:gateway.db"\n'


# --- shape -----------------------------------------------------------------------------------------------


def leaves() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every verb, as it is typed, with its parser."""

    def below(parser: argparse.ArgumentParser, words: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
        nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        if not nested:
            yield words, parser
        for action in nested:
            for name, child in action.choices.items():
                yield from below(child, f"{words} {name}")

    for noun in cli.NOUNS:
        commands: Any = cli.Parser(prog="gateway").add_subparsers(parser_class=cli.Parser)
        importlib.import_module(f"gateway.cli.{noun}").register(commands)
        yield from below(commands.choices[noun], f"gateway {noun}")


CONTRACT = """
    init serve check status demo submit inspect convert backup me tui
    dkim:keygen,record,check formats:list companies:list,add
    recipients:list,add,show,set,delete,import,export,template,undo,history,revert,batches
    settings:list,get,set
    sources:list,hash documents:list,held,show,why,original,message,text,release,resend,cancel
    queue:list,retry,hold,release,cancel,pause,resume audit:list,export,verify
"""


def test_verbs_are_those_of_the_contract() -> None:
    wanted = set()
    for item in CONTRACT.split():
        noun, _, verbs = item.partition(":")
        wanted |= {f"gateway {noun} {verb}".strip() for verb in verbs.split(",")}
    assert {words for words, _ in leaves()} == wanted


def test_every_verb_and_option_is_documented() -> None:
    lines = (ROOT / "docs" / "cli.md").read_text().splitlines()
    queue = next(line for line in lines if line.startswith("Instead of ids")) + " ".join(lines)
    for words, parser in leaves():
        (line,) = [line for line in lines if line.startswith(f"| `{words}`") or line.startswith(f"| `{words} ")]
        where = queue if words.startswith("gateway queue") else line
        for action in parser._actions:
            for option in action.option_strings:
                if option not in ("-h", "--help"):
                    assert f"`{option}" in where, (words, option)


def test_every_file_is_a_noun() -> None:
    files = {path.stem for path in (ROOT / "gateway" / "cli").glob("*.py")} - {"__init__", "changes", "lists", "text"}
    assert files == set(cli.NOUNS)


def run(*argv: str) -> tuple[int, str, str]:
    """Run the command in a process of its own: exit code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *argv], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_help_names_every_noun() -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for noun in cli.NOUNS:
        assert f"  {noun} " in out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "usage"),
        (["stats"], "status"),
        (["queue"], "VERB"),
        (["recipients", "add", "--number", "1"], "--email"),
        (["recipients", "list", "--colour", "red"], "--colour"),
        (["documents", "list", "--stat", "held"], "--stat"),
        (["queue", "hold"], "--all"),
        (["queue", "hold", "--all", "--company", "x"], "--all"),
        (["status", "-c"], "-c"),
    ],
)
def test_wrong_usage_is_exit_code_2(argv: list[str], says: str, tmp_path: Path) -> None:
    code, out, err = run(*argv)
    assert code == 2
    assert says in err
    assert "Traceback" not in err
    assert out == ""


def test_version() -> None:
    assert run("--version")[1].strip() == importlib.import_module("gateway").__version__


@pytest.mark.parametrize("place", [0, 1, 2])
def test_common_options_stand_anywhere(tmp_path: Path, place: int) -> None:
    (tmp_path / "g.toml").write_text(CONFIG)
    words = ["recipients", "list"]
    words[place:place] = ["--json", "-c", str(tmp_path / "g.toml")]
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert err == (
        f"gateway: The gateway is not running (nobody answers at {tmp_path / 'admin.sock'}); "
        "`gateway serve` starts it.\n"
    )


def test_words_after_two_dashes_are_never_options(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli._take_common(["settings", "--json", "set", "--", "k", "--json", "-c"]) == (
        (None, True),
        ["settings", "set", "--", "k", "--json", "-c"],
    )


def test_status_is_light() -> None:
    code = (
        "import sys; from gateway import cli; cli.main(['status', '-c', '/nonexistent.toml']);"
        "heavy = {'fastapi', 'sqlalchemy', 'uvicorn', 'pydantic', 'lxml', 'pypdfium2', 'asyncio'} & set(sys.modules);"
        "sys.exit(' '.join(heavy) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that keeps what is freed")
def test_the_memory_of_a_large_mail_is_given_back() -> None:
    code = """
import re
from gateway.cli.serve import give_large_buffers_back

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1])

give_large_buffers_back()
before = resident()
for _ in range(3):
    mail = b"x" * (20 << 20)
    small = b"y" * 300_000  # behind it in memory
    del mail
print(resident() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 5_000  # KiB


async def test_status_takes_less_than_a_third_of_a_second(door: Door) -> None:
    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    taken = []
    for _ in range(3):
        before = spent()
        code, out, err = await door.process("status")
        assert (code, err) == (0, "")
        assert "listens" in out or "relays by capture" in out
        taken.append(spent() - before)
    assert min(taken) < 0.3  # of a processor: what else runs on this machine does not count


# --- text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Köpare £5 日本", "Köpare £5 日本"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\r\n2026 accepted", "a\\x0d\\x0a2026 accepted"),
        ("a\x9b31mb\x7f\x00", "a\\x9b31mb\\x7f\\x00"),
        ("a\u202eb\u200b\u2028", "a\\u202eb\\u200b\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("\udc80", "\\udc80"),
    ],
)
def test_safe(raw: str, shown: str) -> None:
    assert text.safe(raw) == shown


def test_json_is_safe_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a": "é\x1b\x7f\x9b\u202e\U000e0041\n", "b": [1, None, True]}
    text.print_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert "é" in out
    assert not set("\x1b\x7f\x9b\u202e\U000e0041") & set(out)


def test_text_goes_out_in_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    text.print_text("é")
    text.print_json("é")
    out.flush()
    assert out.buffer.getvalue() == b'\\xe9\n"\\u00e9"\n'  # type: ignore[attr-defined]


def test_table_fits_its_width() -> None:
    rows = [{"a": "1001", "b": "x" * 100, "c": ["a@b.example", "c@d.example"]}, {"a": "日本", "b": None, "c": True}]
    lines = text.table(rows, (("a", "NUMBER"), ("b", "NAME"), ("c", "TO")), 60)
    assert max(map(text._width, lines)) <= 60
    assert lines[0].split() == ["NUMBER", "NAME", "TO"]
    assert "…" in lines[1]
    assert "a@b.example; c@d.example" in lines[1]
    assert lines[2].split() == ["日本", "true"]
    assert lines[0].index("NAME") == lines[1].index("x")


def test_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    text.print_table([], (("a", "A"),), "There is none.")
    assert capsys.readouterr().out == "There is none.\n"


@pytest.mark.parametrize("argv", [["--help"], ["queue", "--help"], ["--version"], ["status", "--help"]])
def test_reader_that_went_away_is_no_error_message(argv: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *argv], stdout=writing, stderr=subprocess.PIPE, cwd=ROOT, timeout=60
    )
    os.close(writing)
    assert done.stderr == b""


# --- every verb against a served store -------------------------------------------------------------------


class Door:
    """A served store and the command line beside it, in a process of its own."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.file = folder / "gateway.toml"
        networks = '[[source]]\nname = "local"\nmatch = { networks = ["127.0.0.0/8"] }\n'
        self.file.write_text(CONFIG + networks + '[[source]]\nname = "drop"\nmatch = { folder = "/drop" }\n')
        loaded = config.load(self.file)
        self.no_room: str | None = None
        self.folders: dict[str, Facts] = {}
        running = Running(store=store, config=loaded, room=lambda: self.no_room, folders=lambda: self.folders)
        self.server = AdminServer(loaded.gateway.admin_socket, running)

    async def process(self, *argv: str) -> tuple[int, str, str]:
        made = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "-c", str(self.file), *argv),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        )
        out, err = await asyncio.wait_for(made.communicate(), 60)
        return made.returncode or 0, out.decode(), err.decode()

    async def main(self, *argv: str) -> tuple[int, str, str]:
        """As `process`, beside the loop of this one."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(self.folder):
            code = await asyncio.to_thread(cli.main, ["-c", str(self.file), *argv])
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode("utf-8", "surrogateescape"))  # type: ignore[attr-defined]
        return code, texts[0], texts[1]

    async def say(self, *argv: str) -> str:
        code, out, err = await self.main(*argv)
        assert (code, err) == (0, "")
        return out

    async def json(self, *argv: str) -> Any:
        return json.loads(await self.say(*argv, "--json"))

    async def fails(self, *argv: str) -> str:
        code, out, err = await self.main(*argv)
        assert (code, out) == (1, "")
        assert err.count("\n") == 1
        return err


@pytest.fixture
async def door(store: Store, now: dt.datetime, tmp_path: Path) -> AsyncIterator[Door]:
    await store.write(companies.ensure_company, "default", now)
    made = Door(store, tmp_path)
    await made.server.start()
    yield made
    await made.server.stop()


def put(connection: Any, now: dt.datetime, hold: bool) -> int:
    """A document: held for number 1001, else queued with one delivery."""
    submissions.accept(connection, submission(now, b"\x00original\xff"), now)
    (claimed,) = submissions.claim(connection, OWNER, now, now + dt.timedelta(minutes=5), 1)
    new = submissions.NewDocument(file_name="a\x1b.xml", media_type="application/xml", fields=claimed.fields)
    (found,) = submissions.finish(connection, claimed, [new], OWNER, now, now + dt.timedelta(minutes=5))
    if not hold:
        messages.queue(connection, found.id, OWNER, documents.Finding(), new_message(now, "a@example.com"), now)
    else:
        why = documents.Hold(cause="no-recipient:1001", sentence="No row.", wakes=("recipient:default:1001",))
        documents.hold(connection, found.id, OWNER, documents.Finding(), why, meta.wakes(connection), now)
    return int(found.id)


async def test_recipients(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now, True)
    code, out, _ = await door.process(
        "recipients", "add", "--number", "1001", "--email", "a@example.com;b@example.com", "--cc", "c@d.example"
    )
    assert code == 0
    assert out == (
        "Recipient 1001 for type any is added: a@example.com; b@example.com, copy to c@d.example.\n"
        "1 held document goes on now.\n"
    )
    await door.say("recipients", "set", "1001", "--language", "FR", "--cc", "", "--name", "Acme")
    (row,) = await door.json("recipients", "list")
    names = ("number", "email", "cc", "type", "format", "name", "language", "version")
    assert [row[name] for name in names] == [
        "1001",
        ["a@example.com", "b@example.com"],
        [],
        "any",
        None,
        "Acme",
        "fr",
        2,
    ]
    assert "1001    any   a@example.com; b@example.com" in await door.say("recipients", "list", "--search", "acme")
    assert "is an" not in await door.fails("recipients", "add", "--number", "1001", "--email", "x@example.com")
    await door.say("recipients", "add", "--number", "1001", "--email", "o@example.com", "--type", "order")
    await door.say("recipients", "set", "1001", "--type", "order", "--name", "Orders")
    await door.say("recipients", "delete", "1001")
    assert [found["type"] for found in await door.json("recipients", "list")] == ["order"]
    words = ("--attach", "alone", "--file-name", "{{ number }}", "--constants", "bt-13=O-1;BT-10=L-1")
    await door.say("recipients", "set", "1001", "--type", "order", *words)
    shown = (await door.say("recipients", "show", "1001")).splitlines()
    assert [line.split(maxsplit=1)[1] for line in shown[-4:-1]] == ["alone", "{{ number }}", "BT-10=L-1; BT-13=O-1"]
    assert "no recipient" in await door.fails("recipients", "show", "2002")
    await door.say("recipients", "set", "1001", "--type", "invoice")
    assert [found["type"] for found in await door.json("recipients", "list")] == ["invoice"]
    assert "no recipient" in await door.fails("recipients", "delete", "2002")


async def test_row_must_be_named_when_there_are_several(door: Door) -> None:
    for type_ in ("invoice", "order"):
        await door.say("recipients", "add", "--number", "1", "--email", "a@example.com", "--type", type_)
    assert "--type" in await door.fails("recipients", "delete", "1")
    assert "'nonsense'" in await door.fails("recipients", "set", "1", "--type", "order", "--email", "nonsense")


async def test_settings(door: Door) -> None:
    assert await door.say("settings", "get", "distribution.active") == "true\n"
    assert await door.say("settings", "set", "sender.prefix", "acme") == "sender.prefix is acme.\n"
    assert await door.say("settings", "get", "sender.prefix") == "acme\n"
    assert (await door.json("settings", "get", "sender.prefix"))["value"] == "acme"
    listed = await door.say("settings", "list")
    assert "Hello, ⏎  ⏎ please find attached" in listed
    assert any(line.split() == ["sender.prefix", "*", "acme"] for line in listed.splitlines())
    assert await door.say("settings", "set", "sender.prefix", "") == "sender.prefix is noreply.\n"
    assert "sender.prefix" in await door.fails("settings", "get", "sender.prefx")
    assert "@" in await door.fails("settings", "set", "sender.prefix", "a@b.example")
    await door.say("settings", "set", "template.any.en.body", "Hello\n\n{{ number }}")
    assert await door.say("settings", "get", "template.any.en.body") == "Hello\n\n{{ number }}\n"


async def test_companies_are_apart(door: Door) -> None:
    assert await door.say("companies", "add", "acme") == "Company acme is added.\n"
    assert [row["name"] for row in await door.json("companies", "list")] == ["acme", "default"]
    await door.say("settings", "set", "distribution.active", "false", "--company", "acme")
    assert await door.say("settings", "get", "distribution.active") == "true\n"
    await door.say("recipients", "add", "--number", "1", "--email", "a@example.com", "--company", "acme")
    assert await door.json("recipients", "list", "--company", "default") == []
    assert "nobody" in await door.fails("settings", "list", "--company", "nobody")


async def test_documents(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now, True)
    (row,) = await door.json("documents", "list", "--state", "held")
    assert (row["cause"], row["deliveries"]) == ("no-recipient:1001", [])
    assert "no-recipient:1001" in await door.say("documents", "list")
    submission = (await door.json("documents", "show", row["id"]))["submission"]
    assert [each["id"] for each in await door.json("documents", "list", "--submission", submission)] == [row["id"]]
    assert [each["id"] for each in await door.json("documents", "list", "--search", row["file_name"][:3])] == [
        row["id"]
    ]
    assert await door.json("documents", "list", "--search", "nothing") == []
    assert "no-recipient:1001. No row." in await door.say("documents", "why", row["id"])
    assert "a\\x1b.xml" in await door.say("documents", "show", row["id"])
    assert (await door.json("documents", "show", row["id"]))["file_name"] == "a\x1b.xml"
    await door.say("documents", "original", row["id"], "-o", "out.xml")
    assert (door.folder / "out.xml").read_bytes() == b"\x00original\xff"
    assert "out.xml" in await door.fails("documents", "original", row["id"], "-o", "out.xml")
    assert await door.say("documents", "original", row["id"]) == "\x00original\udcff"
    assert await door.say("documents", "release", row["id"], "--reason", "asked") == "1 document is released.\n"
    assert await door.say("documents", "cancel", row["id"]) == "1 document is cancelled.\n"
    assert "sent again" in await door.say("documents", "resend", row["id"], "--to", "x@example.com")
    assert "no such document" in await door.fails("documents", "show", "0000000000000")


async def test_queue(door: Door, now: dt.datetime) -> None:
    await door.store.write(put, now, False)
    (row,) = await door.json("queue", "list")
    assert row["recipient"] == "a@example.com"
    assert "a@example.com" in await door.say("queue", "list")
    assert ": The sample has no place for a term." in await door.say("documents", "show", row["document"])
    assert await door.say("queue", "hold", row["id"]) == "1 delivery is held.\n"
    assert await door.say("queue", "release", "--all") == "1 delivery is released.\n"
    assert await door.say("queue", "retry", "--next-hop", "capture") == "1 delivery is retried now.\n"
    assert await door.say("queue", "pause", "capture") == "capture is paused until it is resumed.\n"
    assert "capture" in await door.say("queue", "list", "--hops")
    assert await door.say("queue", "resume", "capture") == "capture goes on.\n"
    assert await door.say("queue", "cancel", row["id"]) == "1 delivery is cancelled.\n"
    assert await door.say("queue", "list") == "Nothing waits in the queue.\n"
    assert "cannot be held" in await door.fails("queue", "hold", row["id"])


async def test_audit_status_sources_backup(door: Door) -> None:
    await door.say("settings", "set", "sender.name", "Acme")
    await door.say("recipients", "add", "--number", "1", "--email", "a@example.com")
    await door.say("recipients", "set", "1", "--name", "Bolag")
    listed = await door.say("audit", "list")
    assert "setting.set    sender.name    (default) → Acme" in listed
    assert "name:  → Bolag" in listed
    assert [row["action"] for row in await door.json("audit", "list", "--limit", "1")] == ["recipient.set"]
    assert "runs as process" in await door.say("status")
    assert (await door.json("status"))["pid"] == os.getpid()
    assert "127.0.0.0/8" in await door.say("sources", "list")
    assert "copy.db holds the database" in await door.say("backup", "copy.db")
    assert (door.folder / "copy.db").exists()


async def test_status_and_show_say_what_retention_keeps_and_removed(door: Door, now: dt.datetime) -> None:
    submitted = await door.store.write(sent, now - dt.timedelta(days=91))
    said = await door.say("status")
    assert "contents are kept for 90 days, the oldest of 2025-12-01; the database takes " in said
    await door.store.write(retention.step, "content", now - dt.timedelta(days=90), now, 20)
    (found,) = await door.json("documents", "list", "--number", "F-77", "--customer-number", "1042")
    assert (found["state"], found["deliveries"][0]["recipient"]) == ("sent", "a@example.com")
    said = await door.say("documents", "show", found["id"])
    assert "its content was removed on 2026-03-02, as [retention] says" in said
    for verb in ("original", "message"):
        assert "The content was removed on 2026-03-02" in await door.fails("documents", verb, found["id"])
    assert "cannot be sent again" in await door.fails("documents", "resend", found["id"])
    kept = (await door.json("status"))["retention"]
    assert (kept["oldest_content"], kept["rows_days"], kept["problem"]) == (None, 400, None)
    assert kept["bytes"] > kept["unused"]
    assert submitted


async def test_status_and_sources_say_what_waits_in_a_folder(door: Door) -> None:
    since = dt.datetime(2026, 3, 2, 9, 41, tzinfo=dt.UTC)
    tried = Trial(at=since, problem="A test file cannot be created in /drop: x. Run: chmod g+rwxs /drop.")
    door.folders = {"drop": Facts(waiting=3, oldest=since, problem="the disk is full", trial=tried)}
    said = await door.say("status", "--health")
    assert "folder drop: 3 files wait, the oldest since 2026-03-02 09:41\n  takes nothing: the disk is full\n" in said
    assert f"  write test of 2026-03-02 09:41: {tried.problem}\n" in said
    assert "folder /drop: cannot be written, tested 2026-03-02 09:41" in said
    assert "3 since 2026-03-02 09:41" in await door.say("sources", "list")
    (local, drop) = await door.json("sources", "list")
    assert (local["waiting"], drop["waiting"], drop["oldest"]) == (None, 3, "2026-03-02T09:41:00Z")


async def test_status_says_why_nothing_comes_in_or_goes_out(door: Door) -> None:
    said = await door.say("status")
    assert "takes nothing in" not in said
    assert "paused" not in said
    door.no_room = "the disk has only 3 MiB free"
    await door.store.write(_pause)
    said = await door.say("status")
    assert "takes nothing in: the disk has only 3 MiB free\n" in said
    assert "sends nothing to capture: it is paused; 'gateway queue resume capture' ends that\n" in said
    await door.store.write(_stop)
    said = await door.say("status")
    assert "sends nothing to a.example: it refuses us: 550 no; paused until 2126-01-01T00:00:00Z; 'gateway" in said


def _pause(connection: Connection) -> None:
    connection.execute(sa.insert(schema.next_hop), {"name": "capture", "paused_by": "anna"})


def _stop(connection: Connection) -> None:
    until = dt.datetime(2126, 1, 1, tzinfo=dt.UTC)
    said = {"paused_by": claims.BY_ITSELF, "paused_until": until, "reason": "it refuses us: 550 no"}
    connection.execute(sa.insert(schema.next_hop).values(name="a.example", **said))


async def test_audit_is_verified_and_exported(door: Door) -> None:
    assert "0 rows are as written" in await door.say("audit", "verify")
    for name in ("Acme", "Acme AB", "Acme Ltd"):
        await door.say("settings", "set", "sender.name", name)
    verified = await door.json("audit", "verify")
    assert (verified["ok"], verified["rows"]) == (True, 3)
    assert f"3 rows are as written, root {verified['root']}." in await door.say("audit", "verify")
    assert await door.say("audit", "export", "all.jsonl") == "all.jsonl: 3 rows.\n"
    rows = [json.loads(line) for line in (door.folder / "all.jsonl").read_text().splitlines()]
    assert [row["after"] for row in rows] == ["Acme", "Acme AB", "Acme Ltd"]
    assert "all.jsonl cannot be written: File exists" in await door.fails("audit", "export", "all.jsonl")
    assert len((door.folder / "all.jsonl").read_text().splitlines()) == 3
    assert await door.json("audit", "export", "none", "--user", "x") == {"file": "none", "rows": 0}
    assert await door.json("audit", "list", "--until", "2020-01-01") == []
    await door.store.write(lambda connection: connection.exec_driver_sql("UPDATE audit SET at = 0 WHERE seq = 2"))
    code, out, err = await door.main("audit", "verify")
    assert (code, err) == (1, "gateway: The audit is broken: row 2 is not as it was written.\n")
    code, out, _ = await door.main("audit", "verify", "--json")
    assert (code, json.loads(out)["broken"]) == (1, 2)
    code, _, err = await door.main("audit", "verify", "--root", f"3:{'0' * 64}")
    assert code == 1


async def test_export_that_breaks_off_leaves_no_file(door: Door) -> None:
    for number in range(600):  # more than a page
        await door.store.write(_change_setting, number)
    harm = "UPDATE audit SET after = '{' WHERE seq = 590"
    await door.store.write(lambda connection: connection.exec_driver_sql(harm))
    assert "broke" in await door.fails("audit", "export", "all.jsonl")
    assert not (door.folder / "all.jsonl").exists()


def _change_setting(connection: Any, number: int) -> None:
    now = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    audit.record(connection, audit.Caller(uid=0, user="root"), "setting.set", "sender.name", None, str(number), now)


async def test_me(door: Door) -> None:
    said = await door.say("me")
    assert said.startswith("user   ")
    assert "roles  admin" in said
    assert (await door.json("me"))["denied"] == {}


async def test_reasons_are_kept(door: Door, now: dt.datetime) -> None:
    why = ("--reason", "asked by phone")
    held, queued = [show_id(await door.store.write(put, now, hold)) for hold in (True, False)]
    await door.say("companies", "add", "acme", *why)
    await door.say("settings", "set", "sender.name", "Acme", *why)
    await door.say("recipients", "add", "--number", "1", "--email", "a@example.com", *why)
    await door.say("recipients", "set", "1", "--name", "Bolag", *why)
    await door.say("recipients", "delete", "1", *why)
    await door.say("documents", "release", held, *why)
    await door.say("queue", "hold", "--all", *why)
    await door.say("queue", "release", "--all", *why)
    (hop,) = [row["next_hop"] for row in await door.json("queue", "list", "--hops")]
    await door.say("queue", "pause", hop, *why)
    assert {row["reason"] for row in await door.json("queue", "list", "--hops")} == {"asked by phone"}
    await door.say("queue", "resume", hop, *why)
    await door.say("documents", "cancel", queued, *why)
    await door.say("documents", "resend", queued, *why)
    rows = await door.json("audit", "list")
    assert len(rows) == 12
    assert {row["reason"] for row in rows} == {"asked by phone"}


async def test_changes_of_two_people_do_not_overwrite(door: Door) -> None:
    added = await door.json("recipients", "add", "--number", "1", "--email", "a@example.com")
    client = cli.Context(str(door.file), False).client()
    await asyncio.to_thread(client.patch, f"/recipients/{added['id']}", {"name": "x"}, 1)
    with pytest.raises(cli.GatewayError, match="changed meanwhile"):
        await asyncio.to_thread(client.patch, f"/recipients/{added['id']}", {"name": "y"}, 1)


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No such file"):
        cli.read_file(str(tmp_path / "none"))
