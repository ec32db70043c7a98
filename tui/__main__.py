"""`python -m tui`: the terminal UI as a program of its own; `gateway tui` starts it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main() -> int:
    """Run the screens until the person leaves."""
    parser = argparse.ArgumentParser(prog="gateway tui")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--company", default="default")
    parser.add_argument("--lang")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--ascii", action=argparse.BooleanOptionalAction)
    args = parser.parse_args()
    # Before the library is loaded, which reads them once.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_FPS", "30")
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "standard")
    from tui import words
    from tui.app import Console
    from tui.ascii import only_ascii
    from tui.typed import tell_escapes_apart

    tell_escapes_apart()
    words.choose(args.lang)
    ascii_only = only_ascii(os.environ) if args.ascii is None else args.ascii
    Console(args.socket, args.company, ascii_only, args.config).run(mouse=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
