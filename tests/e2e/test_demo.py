"""`gateway demo`: what a newcomer sees first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gateway.cli import demo


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "demo", "--port", "0", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=90)


def test_every_sample_arrives_signed_through_both_doors(tmp_path: Path) -> None:
    done = run(tmp_path, "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if "DKIM" in line and "·" in line]
    assert len(lines) == 3
    for line, name in zip(lines, (*demo.BY_MAIL, *demo.BY_FOLDER), strict=True):
        assert name in line
        assert "DKIM: pass (gw1 pass, gw2 pass)" in line
        (file,) = (word for word in line.split() if word.endswith(".eml"))
        assert (tmp_path / file).exists()
    assert [word for word in ("smtp", "folder") if f"by {word} " in done.stdout] == ["smtp", "folder"]
    assert "credit note" in lines[2]
    assert run(tmp_path, "--once").returncode == 0  # a second run begins anew


def test_a_folder_that_is_not_the_demo_s_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "var" / "demo").mkdir(parents=True)
    (tmp_path / "var" / "demo" / "mine").touch()
    done = run(tmp_path, "--once")
    assert done.returncode == 1
    assert "move it away" in done.stderr
    assert (tmp_path / "var" / "demo" / "mine").exists()


def test_a_sample_that_did_not_arrive_or_is_not_signed_is_no_success() -> None:
    from gateway.config import embedded_defaults

    config = embedded_defaults(Path("var/demo"))
    held = {"state": "held", "cause": "no-recipient:1", "sentence": "No row."}
    assert demo._line("a.xml", None, config, {})[1] is False
    assert demo._line("a.xml", held, config, {}) == ("a.xml: held, no-recipient:1: No row.", False)
