"""How much may be inside a file."""

from __future__ import annotations

MAX_NESTED = 10  # wrappers one in the other
MAX_DOCUMENTS = 1_000  # documents of one file
MAX_TOTAL = 80_000_000  # bytes unpacked from one file
