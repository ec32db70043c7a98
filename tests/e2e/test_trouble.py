"""Trouble on a real gateway: no room, a disk that lies, hostile documents, a crowd of held ones, a port taken."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.model import new_id
from gateway.store.schema import to_micros
from tests.e2e.conftest import Make
from tests.e2e.documents import invoice
from tests.e2e.gateway import Gateway, until
from tests.e2e.test_path import add, one
from tests.hostile import make
from tests.soak import crowd


def reply_to_mail(gateway: Gateway) -> tuple[int, bytes]:
    """What the gateway says to MAIL, the last moment before content would flow."""
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=10) as client:
        client.ehlo()
        return client.mail("erp@seller.example")


# --- no room ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 60 MB at `folder`."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_refuses_before_data_and_recovers_by_itself(make_gateway: Make, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        extra = f'\n[[source]]\nname = "small"\nmatch = {{ folder = "{disk}/drop" }}\nstable = 0.1\n'
        gateway = make_gateway(extra=extra)
        (disk / "drop").mkdir()
        text = gateway.file.read_text().replace("sqlite:var/gateway.db", f"sqlite:{disk}/gateway.db")
        gateway.file.write_text(text)
        gateway.start()
        add(gateway)
        free = shutil.disk_usage(disk).free
        (disk / "drop" / "F-1.xml").touch()  # its place is there, its bytes come when the disk is full
        (disk / "filler").write_bytes(b"\0" * (free - (1 << 20)))
        code, said = until(lambda: (answer := reply_to_mail(gateway))[0] != 250 and answer)
        assert (code, said[:5]) == (452, b"4.3.1")
        (disk / "drop" / "F-1.xml").write_bytes(invoice("F-1"))
        assert gateway.documents() == []
        assert (disk / "drop" / "F-1.xml").exists()
        (folder,) = (each for each in gateway.cli("status")["folders"] if each["source"] == "small")
        assert "MiB free" in folder["problem"]
        (disk / "filler").unlink()
        assert one(gateway, "sent", 10.0)["number"] == "F-1"
        assert reply_to_mail(gateway)[0] == 250
        gateway.stop()


def test_a_disk_that_cannot_sync_gives_4xx_and_recovers_by_itself(gateway: Gateway) -> None:
    """EIO on every fdatasync, by strace; then it lets go."""
    if shutil.which("strace") is None:
        assert not os.environ.get("CI"), "CI needs strace"
        pytest.skip("strace is not installed")
    add(gateway)
    assert gateway.process is not None
    command = ["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO"]
    faults = subprocess.Popen([*command, "-o", "/dev/null", "-p", str(gateway.process.pid)])
    try:
        until(lambda: "TracerPid:\t0" not in Path(f"/proc/{gateway.process.pid}/status").read_text())
        with pytest.raises(AssertionError, match=r"4\.3\.0"):
            gateway.submit(b"From: erp@seller.example\r\n\r\nlost?\r\n")
        assert until(lambda: reply_to_mail(gateway)[0]) == 452  # from now on before DATA
        gateway.put("F-1.xml", invoice("F-1"))
        assert gateway.process.poll() is None
    finally:
        faults.send_signal(signal.SIGINT)
        faults.wait(10)
    assert one(gateway, "sent", 40.0)["number"] == "F-1"
    assert reply_to_mail(gateway)[0] == 250


def test_a_database_that_is_damaged_while_it_runs_stops_the_gateway(make_gateway: Make) -> None:
    """It goes on neither taking nor sending, and says how to go on."""
    gateway = make_gateway().start()
    gateway.stop()  # all pages are in the file now
    gateway.start()
    database = gateway.folder / "var" / "gateway.db"
    with database.open("r+b") as file:
        file.seek(16384)
        file.write(b"garbage!" * ((database.stat().st_size - 16384) // 8))
    done = gateway.run("audit", "list")  # a reader meets it first
    assert done.returncode == 1
    assert gateway.process is not None
    assert gateway.process.wait(20) == 1
    gateway.process = None
    last = gateway.text().strip().splitlines()[-1]
    assert "gateway.db is damaged" in last
    assert "put the newest copy made by 'gateway backup' in its place" in last
    assert "Traceback" not in last


# --- hostile documents -----------------------------------------------------------------------------------

HOSTILE = {
    "doctype.xml": (make.xml_doctype, "unreadable:doctype"),
    "bomb.xml": (make.xml_entity_bomb, "unreadable:doctype"),
    "levels.xml": (make.xml_100000_levels, "unreadable:too-deep"),
    "elements.xml": (make.xml_2000000_elements, "unreadable:too-large"),
    "photo.xml": (make.jpeg, "unreadable:"),
    "empty.pdf": (make.empty, "unreadable:empty"),
    "cut.pdf": (make.pdf_cut_off, "unreadable:pdf-damaged"),
    "encrypted.pdf": (make.pdf_encrypted, "unreadable:encrypted"),
    "huge.pdf": (make.pdf_page_of_200000_points, "unreadable:page-too-large"),
    "inflates.pdf": (make.pdf_360_megabytes_of_text, "unreadable:"),
    "pages.pdf": (make.pdf_10000_pages, "unreadable:too-many-pages"),
}


def resident(gateway: Gateway) -> int:
    """Bytes of the daemon's own memory."""
    assert gateway.process is not None
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024


@pytest.mark.slow
def test_hostile_documents_are_held_and_the_next_good_one_goes_out(gateway: Gateway) -> None:
    add(gateway)
    gateway.mail(("warm.xml", invoice("F-0")))
    one(gateway, "sent")
    before = resident(gateway)
    for name, (build, _) in HOSTILE.items():
        gateway.mail((name, build()))
    gateway.mail(("F-1.xml", invoice("F-1")))
    one(gateway, "sent", 60.0, number="F-1")
    until(lambda: len(gateway.documents(state="held")) == len(HOSTILE), 60.0)
    held = gateway.documents(state="held")
    causes = {each["file_name"]: each["cause"] for each in held}
    for name, (_, cause) in HOSTILE.items():
        assert causes[name].startswith(cause), (name, causes[name])
        assert next(each["sentence"] for each in held if each["file_name"] == name)
    assert resident(gateway) - before < 50 << 20


@pytest.mark.slow
def test_many_large_mails_at_once_beside_idle_connections_take_little_memory(make_gateway: Make) -> None:
    """`make soak` does the same with 50 mails of 25 MB and 500 connections."""
    gateway = make_gateway(recipients="envelope").start()
    text = (b"x" * 76 + b"\r\n") * (5_000_000 // 78)
    with contextlib.ExitStack() as stack:
        for _ in range(25):
            stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), 10))
        with ThreadPoolExecutor(20) as pool:
            mails = [b"Subject: %d\r\n\r\n" % number + text for number in range(20)]
            assert len(list(pool.map(gateway.submit, mails))) == 20
    until(lambda: len(gateway.captured()) == 20, 60.0)
    assert crowd.peak(gateway) < 400
    gateway.stop()


# --- a crowd ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_releasing_is_quick_beside_100_000_documents_held_for_other_causes(make_gateway: Make) -> None:
    gateway = make_gateway().start()
    gateway.mail(("a.xml", invoice()))
    held = one(gateway, "held")
    gateway.stop()
    _crowd(gateway.folder / "var" / "gateway.db", 100_000)
    gateway.start()
    assert gateway.cli("status")["documents"]["held"] == 100_001
    add(gateway)
    started = time.monotonic()
    until(lambda: gateway.cli("documents", "show", held["id"])["state"] == "sent", 5.0)
    assert time.monotonic() - started < 4.0  # two seconds, and two starts of the command line
    assert gateway.cli("status")["documents"]["held"] == 100_000
    gateway.stop()


def _crowd(path: Path, count: int) -> None:
    """Copy the one held document `count` times, each waiting for a customer of its own."""
    now = to_micros(dt.datetime.now(dt.UTC))
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM document").fetchone())
        columns = ", ".join(row)
        places = ", ".join("?" for _ in row)
        ids = [new_id() for _ in range(count)]
        rows = [
            tuple((row | {"id": each, "cause": f"no-recipient:X{place}", "updated_at": now}).values())
            for place, each in enumerate(ids)
        ]
        connection.executemany(f"INSERT INTO document ({columns}) VALUES ({places})", rows)
        connection.executemany(
            "INSERT INTO wake (key, document_id) VALUES (?, ?)",
            [(f"recipient:default:X{place}", each) for place, each in enumerate(ids)],
        )
    connection.close()


# --- starting --------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_one_sentence(make_gateway: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        gateway = make_gateway()
        text = gateway.file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{taken.getsockname()[1]}")
        gateway.file.write_text(text)
        done = gateway.run("serve")
    assert done.returncode == 1
    assert "cannot be opened: Address already in use" in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_second_gateway_on_the_same_database_is_refused(gateway: Gateway) -> None:
    done = gateway.run("serve")
    assert done.returncode == 1
    assert "another gateway" in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_without_a_daemon_the_commands_say_how_to_start_it(make_gateway: Make) -> None:
    done = make_gateway().run("status")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "serve" in done.stderr
