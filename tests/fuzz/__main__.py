"""`python -m tests.fuzz TARGET SECONDS`: try a target for so long with atheris, which has to be installed beside.

What it finds is written to `seeds/TARGET` and tried by every run of the tests from then on.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway", "email"]):
    from tests.fuzz import targets


def main() -> None:
    """Run one target; libFuzzer ends the process."""
    name, seconds = sys.argv[1], int(sys.argv[2])
    grown = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for seed in targets.seeds(name):
        (grown / seed.name).write_bytes(seed.read_bytes())
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2000", "-max_len=20000"]
    found = f"-artifact_prefix={targets.SEEDS / name}/"
    atheris.Setup([sys.argv[0], *options, found, str(grown)], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
