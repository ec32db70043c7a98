"""`python -m tui.catalogue`: what the catalogues lack, and what they hold that no screen says any more."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tui.words import LANGUAGES, catalogue

_MARKS = ("_", "N_", "NN_")


def texts() -> set[str]:
    """Every text of the screens, in English."""
    folder = Path(__file__).parent
    return {text for file in sorted(folder.rglob("*.py")) for text in _marked(file)}


def _marked(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MARKS and node.args:
            for given in node.args:
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    yield given.value


def differences(name: str) -> tuple[list[str], list[str]]:
    """The texts that a language lacks, and those that it holds for nothing."""
    known, said = set(catalogue(name)), {text for text in texts() if text}
    return sorted(said - known), sorted(known - said)


def main() -> int:
    """Print the differences of all languages; exit code 1 when something is missing."""
    code = 0
    for name in LANGUAGES:
        if name == "en":
            continue
        missing, unused = differences(name)
        for text in missing:
            print(f"{name}: missing: {text!r}")
        for text in unused:
            print(f"{name}: not said any more: {text!r}")
        code = 1 if missing else code
    return code


if __name__ == "__main__":
    sys.exit(main())
