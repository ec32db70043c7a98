"""`gateway submit` against a running folder."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import cli
from gateway.store import Store
from tests.unit.drops import PDF, QUICK, Open, names, stored


@pytest.fixture
def config(tmp_path: Path, root: Path) -> str:
    file = tmp_path / "gateway.toml"
    file.write_text(f'[[source]]\nname = "scan"\nmatch = {{ folder = "{root}" }}\n')
    return str(file)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "invoice 7.pdf"
    path.write_bytes(PDF)
    return path


async def test_a_submitted_file_arrives_and_its_end_is_told(
    door: Open, store: Store, config: str, paper: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with door(timing=QUICK):
        assert await asyncio.to_thread(cli.main, ["-c", config, "submit", str(paper)]) == 0
    assert capsys.readouterr().out == f"{paper}: done\n"
    assert [row["file_name"] for row in await stored(store)] == ["invoice 7.pdf"]
    assert paper.name in names(root.parent)
    assert names(root) == [".done", ".failed", ".work"]


async def test_a_second_one_of_the_same_name_and_content_is_told_apart(
    door: Open, config: str, paper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with door(timing=QUICK):
        command = ["-c", config, "submit", "--json", str(paper), str(paper)]
        assert await asyncio.to_thread(cli.main, command) == 0
    first, second = sorted(json.loads(capsys.readouterr().out), key=lambda one: one["reason"] or "")
    assert first == {"file": str(paper), "state": "done", "reason": None}
    assert second["reason"].startswith("This is a duplicate of ")


async def test_a_refused_file_gives_its_reason_and_exit_1(
    door: Open, config: str, paper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with door({"max_size": 5}, timing=QUICK):
        assert await asyncio.to_thread(cli.main, ["-c", config, "submit", str(paper)]) == 1
    assert (
        capsys.readouterr().out
        == f"{paper}: failed: It has {len(PDF)} bytes, more than the 5 that are taken (max_size of the source).\n"
    )


def test_without_a_gateway_the_file_waits_and_that_is_said(
    config: str, paper: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["-c", config, "submit", str(paper), "--wait", "0.2"]) == 1
    assert capsys.readouterr().out == f"{paper}: waiting: it lies in {root}; does the gateway run?\n"
    assert cli.main(["-c", config, "submit", str(paper), "--wait", "0"]) == 0
    assert len(names(root)) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{tmp}/nothing.pdf"], "nothing.pdf cannot be put into"),
        (["{tmp}"], "cannot be put into"),
        (["/dev/null"], "/dev/null is no ordinary file."),
        (["{tmp}/.x"], "A file named .x is ignored in a drop folder"),
        (["--source", "fax", "{tmp}/x"], "No [[source]] with a folder is named 'fax'; there is scan."),
    ],
)
def test_what_cannot_be_handed_in_is_one_sentence(
    config: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert cli.main(["-c", config, "submit", *(word.format(tmp=tmp_path) for word in arguments)]) == 1
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert names(root) == []


def test_a_configuration_without_a_folder_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[[source]]\nname = "erp"\nmatch = { networks = ["127.0.0.1"] }\n')
    assert cli.main(["-c", str(file), "submit", "x.pdf"]) == 1
    assert "has a folder to put the file into" in capsys.readouterr().err


def test_of_several_folders_one_must_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They may belong to different companies."""
    file = tmp_path / "gateway.toml"
    folders = [f'[[source]]\nname = "{name}"\nmatch = {{ folder = "{name}" }}\n' for name in ("acme", "bolag")]
    file.write_text("".join(folders))
    (tmp_path / "x.pdf").write_bytes(b"%PDF-")
    for name in ("acme", "bolag"):
        (tmp_path / name).mkdir()
    assert cli.main(["-c", str(file), "submit", str(tmp_path / "x.pdf")]) == 1
    assert "say whose with --source: acme, bolag." in capsys.readouterr().err
    assert cli.main(["-c", str(file), "submit", str(tmp_path / "x.pdf"), "--source", "bolag", "--wait", "0"]) == 0
    assert (tmp_path / "bolag" / "x.pdf").exists()


def test_the_command_loads_neither_a_database_nor_a_server() -> None:
    code = (
        "import sys, gateway.cli.submit, gateway.config; "
        "print([m for m in sys.modules if m in ('sqlalchemy', 'fastapi', 'asyncio', 'lxml')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
