"""The benches run: their figures mean nothing here, but none of them may rot."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile

import pytest

from bench import formats as bench_formats
from bench.__main__ import BENCHES
from gateway import formats
from gateway.readers.table import READERS
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


def test_the_formats_table_has_a_row_for_each_format() -> None:
    """Those that are written, and each way to read that none of them is read back by."""
    rows = set(re.findall(r"(?m)^\| ([\w-]+)", (ROOT / "docs/performance.md").read_text("utf-8")))
    written = {entry.name for entry in formats.FORMATS} - {"pdf", "fatturapa", "facturae"}
    assert written <= rows
    cases = [
        next((ROOT / "tests/golden" / case).glob("in.*")).read_bytes() for case in bench_formats.ONLY_READ.values()
    ]
    read = {document.format for data in cases for document in [bench_formats.read(data)]}
    assert read | written | {"edifact", "facturx", "pdf", "other"} >= {entry.name for entry in READERS}
