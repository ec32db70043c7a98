"""The benches run: their figures mean nothing here, but none of them may rot."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import pytest

from bench.__main__ import BENCHES
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["accept", "claim", "large", "steps", "formats", "tui"])
def test_a_bench_gives_its_table(name: str) -> None:
    with tempfile.TemporaryDirectory() as short:  # unix(7) allows 107 bytes for the admin socket
        command = [sys.executable, "-m", "bench", name, "--tiny", "--directory", short]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=90)
    assert done.returncode == 0, done.stderr
    assert f"### {name}" in done.stdout
    assert done.stdout.count("| --- |") >= 1


def test_a_name_that_is_none_is_refused() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "nothing"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert all(name in done.stderr for name in BENCHES)


def test_the_comparison_with_postfix_says_that_it_needs_root() -> None:
    code = "import os, bench.postfix; os.getuid() or os.setuid(65534); bench.postfix.install()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, "needs root" in done.stderr) == (1, True), done.stderr
