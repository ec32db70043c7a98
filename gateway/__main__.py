"""The command `gateway`."""

from __future__ import annotations

import sys


def main() -> int:
    """Entry point of the installed command; gives the exit code."""
    from gateway import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
