"""`python -m tests.soak [NAME…]`: run the long proofs named, or all; each says what it found, and 1 is a failure."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.e2e.gateway import Gateway
from tests.soak import burst, crowd, exchangers, killing, sink, syncs


def kills(folder: Path) -> bool:
    """10,000 messages of eight clients, at least 80 kills."""
    load = killing.Load(messages=10_000, kills=80, clients=8, uptime=(0.1, 0.9))
    with sink.running() as relay:
        gateway = Gateway(folder / "gateway", relay=killing.relay(relay.url), recipients="envelope")
        try:
            found = killing.run(gateway, load)
        finally:
            gateway.end()
        found.copies_of = relay.arrived()
    print(f"kills: {found.summary()}", flush=True)
    return found.sound


PROOFS: Mapping[str, Callable[[Path], bool]] = {
    "kills": kills,
    "syncs": syncs.prove,
    "exchangers": exchangers.prove,
    "crowd": crowd.prove,
    "burst": burst.prove,
}


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PROOFS)}; default: all")
    parser.add_argument("--directory", type=Path, default=Path("var"), help="on the disk that is tried (default var)")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in PROOFS]
    if unknown:
        parser.error(f"there is no proof {unknown[0]!r}; there are {', '.join(PROOFS)}")
    given.directory.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in given.names or PROOFS:
        folder = Path(tempfile.mkdtemp(prefix=f"soak-{name}-", dir=given.directory.resolve()))
        begun = time.monotonic()
        if PROOFS[name](folder):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            failed.append(name)
            print(f"{name}: BROKEN; what is left of it is in {folder}", flush=True)
        print(f"({name}: {time.monotonic() - begun:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
