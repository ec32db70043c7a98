"""The architecture as tests: layers, what a process imports, how fast the command line answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAVY = ("fastapi", "sqlalchemy", "lxml", "pypdfium2", "typst", "aiosmtpd", "cryptography")


def imported_by(code: str) -> set[str]:
    """The top-level modules that a fresh Python has imported after `code`."""
    script = f"{code}\nimport sys\nprint(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_layers_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_daemon_knows_neither_xml_nor_pdf() -> None:
    found = imported_by("import gateway.daemon")
    assert "sqlalchemy" in found  # the list is not empty by mistake
    assert not found & {"lxml", "pypdfium2", "typst", "pikepdf"}


@pytest.mark.parametrize("verb", [["status"], ["documents", "list"], ["recipients", "list"], ["settings", "list"]])
def test_a_verb_of_the_socket_imports_nothing_heavy(verb: list[str]) -> None:
    found = imported_by(f"from gateway.cli import main\nmain({verb!r})")
    assert not found & set(HEAVY)


def test_nothing_of_ours_is_larger_than_its_budget() -> None:
    sizes = {
        path.relative_to(ROOT): len(path.read_text().splitlines())
        for path in (ROOT / "gateway").rglob("*.py")
        if "versions" not in path.parts
    }
    assert len(sizes) > 50
    assert {str(path): size for path, size in sizes.items() if size > 400} == {}
