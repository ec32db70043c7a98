"""Foreign programs that tests run: whether they are here, and what becomes of a test when they are not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

PATH = os.environ.get("PATH", "") + ":/usr/sbin"  # where Debian has Postfix's programs, and not every user looks


def lacking(reason: str) -> NoReturn:
    """Skip; where CI has installed the programs, fail: a check that nobody runs shows nothing."""
    if os.environ.get("FOREIGN_PROGRAMS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def needs(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    for name in names:
        found = shutil.which(name, path=PATH)
        if found:
            return found
    lacking(f"{names[0]} is not installed")


def run(*words: str | Path, folder: Path | None = None, stdin: bytes = b"") -> str:
    """What a program says, that has to end well within a minute."""
    done = subprocess.run(
        [*map(str, words)], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, cwd=folder
    )
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said
    return said
