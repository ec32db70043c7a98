"""`gateway recipients import|export|template|undo` as processes, against a served store with a worker."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from gateway import config
from gateway.admin.running import Running
from gateway.api import AdminServer
from gateway.store import Store, companies
from gateway.workers import Pool
from tests.conftest import ROOT

CONFIG = '[gateway]\nadmin_socket = "admin.sock"\ndatabase = "sqlite:gateway.db"\n'


class Door:
    """The command line beside a served store."""

    def __init__(self, store: Store, pool: Pool, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.file = folder / "gateway.toml"
        self.file.write_text(CONFIG)
        loaded = config.load(self.file)
        self.server = AdminServer(loaded.gateway.admin_socket, Running(store=store, config=loaded, pool=pool))

    async def run(self, *argv: str, **env: str) -> tuple[int, str, str]:
        made = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "-c", str(self.file), "recipients", *argv),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8", **env},
        )
        out, err = await asyncio.wait_for(made.communicate(), 60)
        return made.returncode or 0, out.decode(), err.decode()

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name


@pytest.fixture
async def door(store: Store, now: dt.datetime, tmp_path: Path) -> AsyncIterator[Door]:
    await store.write(companies.ensure_company, "default", now)
    pool = Pool(1)
    pool.start()
    made = Door(store, pool, tmp_path)
    await made.server.start()
    yield made
    await made.server.stop()
    await pool.close()


LIST = "customer_number;email\n1001;a@customer.example\n1002;b@customer.example\n# x\n"


async def test_a_list_is_looked_at_imported_and_taken_back(door: Door) -> None:
    name = door.write("list.csv", LIST)
    code, out, err = await door.run("import", name, "--type", "invoice", "--dry-run")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "list.csv as invoice: 2 rows read, 1 skipped (comments, blanks).",
        "create 2   update 0   unchanged 0   warnings 0   errors 0",
        "  A2       create  1001  a@customer.example",
        "  A3       create  1002  b@customer.example",
        "Nothing was written. 0 held documents would go on.",
        "Of the documents of the last 90 days 0 would go to other addresses.",
    ]
    assert (await door.run("list"))[1] == "There is no recipient.\n"

    code, out, err = await door.run("import", name, "--type", "invoice")
    assert (code, err) == (0, "")
    batch = out.splitlines()[-1].split("`")[1].rpartition(" ")[2]
    assert out.splitlines()[-1].startswith(f"Imported as batch {batch}; ")

    door.write("list.csv", LIST.replace("a@", "new@"))
    code, out, err = await door.run("import", name, "--type", "invoice", "--dry-run")
    assert "  B2       update  1001  email: a@customer.example → new@customer.example" in out.splitlines()

    door.write("list.csv", LIST)
    code, out, err = await door.run("import", name, "--type", "invoice")
    assert out.splitlines()[-1] == "Everything is in the directory already; nothing was written."

    code, out, err = await door.run("undo", batch)
    assert (code, out) == (0, f"Batch {batch} is taken back: 2 rows deleted, 0 restored.\n")
    code, out, err = await door.run("undo", batch)
    assert (code, out) == (1, "")
    assert "taken back already" in err


async def test_errors_are_named_reported_and_nothing_is_imported(door: Door) -> None:
    name = door.write("list.csv", "1001;a@customer.example\n1002;nobody\n1003;c@customer.example;old\n")
    code, out, err = await door.run("import", name, "--type", "invoice", "--report", "report.xlsx")
    assert (code, err) == (1, "gateway: 2 errors: nothing was imported.\n")
    assert "  B2       E-EMAIL      'nobody' is not an e-mail address: the @ is missing" in out.splitlines()
    assert "delete column C" in out
    assert out.splitlines()[-1] == "report.xlsx is the list with a column of what is wrong."
    rows = [[cell.value for cell in row] for row in load_workbook(door.folder / "report.xlsx").active]
    assert [row[3] for row in rows] == [
        None,
        "# B2: 'nobody' is not an e-mail address: the @ is missing",
        "# C3: Column C is none of the list's and has data in one cell: delete column C.",
    ]
    assert (await door.run("list"))[1] == "There is no recipient.\n"

    code, out, err = await door.run("import", name, "--type", "invoice", "--dry-run", "--ignore-column", "C")
    assert (code, err) == (1, "gateway: one error: nothing would be imported.\n")
    code, out, _ = await door.run("import", name, "--type", "invoice", "--json")
    answer = json.loads(out)
    assert (code, answer["batch"], len(answer["findings"])) == (1, None, 2)


async def test_a_list_without_faults_has_no_report(door: Door) -> None:
    name = door.write("list.csv", LIST)
    code, out, _ = await door.run("import", name, "--type", "any", "--report", "report.xlsx", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["batch"]
    assert not (door.folder / "report.xlsx").exists()
    _, out, _ = await door.run("import", name, "--type", "any", "--report", "report.xlsx", "--reject-comments")
    assert "report.xlsx is the list" in out


async def test_an_export_comes_back_unchanged(door: Door) -> None:
    await door.run(
        "import", door.write("list.csv", "=1;a@customer.example\n#2;b@customer.example\n"), "--type", "order"
    )
    await door.run("add", "--number", "#2", "--email", "b@customer.example", "--type", "order")
    for name in ("out.xlsx", "out.csv"):
        code, out, err = await door.run("export", name)
        assert (code, out) == (0, f"{name}: 2 rows for type order.\n")
        assert err == "gateway: an import takes what begins with # for a comment: one row.\n"
        code, out, _ = await door.run("import", name, "--type", "order", "--json")
        counts = json.loads(out)["counts"]
        assert (counts["unchanged"], counts["comments"], counts["create"] + counts["update"]) == (1, 1, 0)
    code, out, _ = await door.run("export", "fr.xlsx", "--json", LC_ALL="fr_FR.UTF-8")
    assert json.loads(out) == {"file": "fr.xlsx", "type": "order", "rows": 2}
    assert load_workbook(door.folder / "fr.xlsx").active["A1"].value == "Numéro de client"


async def test_a_file_that_is_too_large_is_not_even_read(door: Door) -> None:
    door.write("large.csv", "")
    os.truncate(door.folder / "large.csv", 300 << 20)
    assert await door.run("import", "large.csv", "--type", "any") == (
        1,
        "",
        "gateway: large.csv has 300 MiB; 20 MiB are the most that is read: cut it into several.\n",
    )
    code, _, err = await door.run("import", "none.csv", "--type", "any")
    assert (code, err) == (1, "gateway: none.csv cannot be read: No such file or directory.\n")


async def test_a_pipe_or_a_device_is_read_so_far_only(door: Door) -> None:
    code, out, err = await door.run("import", "/dev/zero", "--type", "any")
    assert (code, out) == (1, "")
    assert err == "gateway: /dev/zero does not end; 20 MiB are the most that is read: cut it into several.\n"


async def test_what_is_wrong_with_a_file_names_it_and_says_what_to_do(door: Door) -> None:
    (door.folder / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    code, out, err = await door.run("import", "old.xls", "--type", "invoice", "--dry-run")
    assert (code, out) == (1, "")
    assert err == "gateway: old.xls: This is an old .xls workbook: save it as .xlsx (Excel workbook).\n"
    _, _, err = await door.run("import", door.write("list.csv", LIST), "--type", "invoice", "--ignore-column", "3")
    assert err == "gateway: A column to pass over is named by its letters, such as C, not '3'.\n"


async def test_a_report_is_a_workbook_of_its_own(door: Door) -> None:
    (door.folder / "list.xlsx").write_bytes(b"1;nobody\n")
    code, _, err = await door.run("import", "list.xlsx", "--type", "invoice", "--report", "./list.xlsx")
    assert (code, err) == (
        1,
        "gateway: The report would be written over the list list.xlsx: give it another name.\n",
    )
    code, _, err = await door.run("import", "list.xlsx", "--type", "invoice", "--report", "errors.csv")
    assert (code, "ends in .xlsx, not errors.csv" in err) == (1, True)
    assert (door.folder / "list.xlsx").read_bytes() == b"1;nobody\n"
    assert not (door.folder / "errors.csv").exists()


async def test_an_export_is_of_one_type(door: Door) -> None:
    for type_ in ("invoice", "order"):
        await door.run("add", "--number", "1", "--email", "b@customer.example", "--type", type_)
    code, out, err = await door.run("export", "out.xlsx")
    assert (code, out) == (1, "")
    assert "invoice, order: say which with --type" in err
    assert not (door.folder / "out.xlsx").exists()
    code, out, _ = await door.run("export", "out.xlsx", "--type", "order", "--language", "sv")
    assert out == "out.xlsx: one row for type order.\n"
    assert load_workbook(door.folder / "out.xlsx").active["A1"].value == "Kundnummer"


async def test_the_template_needs_no_gateway(tmp_path: Path) -> None:
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "recipients", "template", str(tmp_path), "--type", "invoice"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "de_DE.UTF-8"},
    )
    out, _ = await made.communicate()
    assert made.returncode == 0
    assert f"`gateway recipients import {tmp_path}/exampleFile.xlsx --type invoice`" in out.decode()
    file = (tmp_path / "exampleFile.xlsx").read_bytes()
    assert load_workbook(io.BytesIO(file)).active["A1"].value == "Kundennummer*"


async def test_it_says_how_far_it_is(
    door: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gateway.cli import lists
    from gateway.client import Client

    monkeypatch.setattr(lists, "_QUIET", 0.0)
    client = Client(door.folder / "admin.sock")
    await asyncio.to_thread(lists._look, client, LIST.encode(), {"type": "invoice", "name": "x"})
    assert capsys.readouterr().err.splitlines() == [
        f"gateway: reading {len(LIST)} bytes …",
        "gateway: 2 of 2 rows compared (100 %)",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_on_a_terminal_a_bar_grows_in_its_line_and_goes(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.cli import lists
    from gateway.client import Client

    lines = "".join(f"{number};a@customer.example\n" for number in range(11_000)).encode()
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    client = Client(door.folder / "admin.sock")
    await asyncio.to_thread(lists._look, client, lines, {"type": "invoice", "name": "x"})
    _, *drawn, blanks, end = terminal.getvalue().split("\r")
    bars = [line[:22] for line in drawn if "compared" in line]
    assert bars == [f"[{'.' * 20}]", f"[{'#' * 10:.<20}]", f"[{'#' * 19:.<20}]"]
    assert drawn[-1].rstrip().endswith("10,500 of 11,000 rows compared (95 %)")
    assert (blanks, end) == (" " * len(drawn[-1]), "")
    assert "\n" not in terminal.getvalue()
