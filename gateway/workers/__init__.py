"""Worker processes for hostile and heavy work: `Pool` runs a function by its dotted name and knows no reader.

    daemon ── control socket ──▶ zygote ── fork ──▶ worker, worker, …
       └────────────── one socket pair per worker ────┘

The zygote is a fresh interpreter that holds nothing of the daemon; every worker is its fork, limited and killable.
"""

from gateway.workers.pool import Died, Pool

__all__ = ["Died", "Pool"]
