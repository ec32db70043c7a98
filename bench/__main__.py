"""`python -m bench [NAME…]`: run the benches named, or all, and print their tables as Markdown."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from bench import accept, claim, compare, faults, folder, formats, large, path, steps, tui
from bench.plan import TINY, Plan
from bench.report import Table, machine

BENCHES: Mapping[str, Callable[[Path, Plan], list[Table]]] = {
    "accept": accept.run,
    "large": large.run,
    "compare": compare.run,
    "claim": claim.run,
    "path": path.run,
    "steps": steps.run,
    "folder": folder.run,
    "faults": faults.run,
    "formats": formats.run,
    "tui": tui.run,
}


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; default: all")
    parser.add_argument("--tiny", action="store_true", help="only show that each bench works; the figures mean nothing")
    parser.add_argument("--rounds", type=int, help="repetitions, of which the median is shown")
    parser.add_argument("--waiting", type=int, action="append", help="deliveries that wait in `claim`; may be repeated")
    parser.add_argument(
        "--directory", type=Path, default=Path("var"), help="on the disk that is measured (default var)"
    )
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
    plan = TINY if given.tiny else Plan()
    if given.rounds:
        plan = replace(plan, rounds=given.rounds)
    if given.waiting:
        plan = replace(plan, waiting=tuple(given.waiting))
    given.directory.mkdir(parents=True, exist_ok=True)
    base = Path(tempfile.mkdtemp(prefix="bench-", dir=given.directory))
    try:
        print(machine(base), flush=True)
        for name in given.names or BENCHES:
            (base / name).mkdir()
            started = time.monotonic()
            for table in BENCHES[name](base / name, plan):
                print(table.markdown(), flush=True)
            print(f"({name}: {time.monotonic() - started:.0f} s)\n", flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
