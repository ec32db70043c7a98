"""What is counted, for Prometheus. Counters only rise; gauges are set when somebody asks.

The module is imported where things happen; nothing here reads the store.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

EVENTS = Counter("gateway_mail_events", "Events of the mail log, by name", ["event"], registry=REGISTRY)
STAGE_SECONDS = Histogram(
    "gateway_stage_seconds",
    "Wall seconds that a document spent in a stage of the pipeline",
    ["stage"],
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
    registry=REGISTRY,
)
COMMITS = Counter("gateway_store_commits", "Transactions committed by the writer", registry=REGISTRY)
COMMITTED_ITEMS = Counter("gateway_store_items", "Verbs committed by the writer", registry=REGISTRY)
WORKER_JOBS = Gauge("gateway_worker_jobs", "Jobs that workers have taken since the start", registry=REGISTRY)
WORKERS_DIED = Gauge(
    "gateway_workers_died", "Workers that jobs have cost since the start", ["reason"], registry=REGISTRY
)
DOCUMENTS = Gauge("gateway_documents", "Documents by state", ["state"], registry=REGISTRY)
DELIVERIES = Gauge("gateway_deliveries", "Deliveries by state", ["state"], registry=REGISTRY)
STOPPED = Gauge(
    "gateway_next_hops_stopped", "Next hops that are paused because they refuse whatever we send", registry=REGISTRY
)
FREE_BYTES = Gauge("gateway_disk_free_bytes", "Free bytes where the database lies", registry=REGISTRY)
SCHEDULE_LAG = Gauge(
    "gateway_oldest_due_seconds", "For how long the oldest delivery has been due, paused hops apart", registry=REGISTRY
)
INTAKE_OPEN = Gauge(
    "gateway_intake_open", "1 while documents are taken in, 0 while there is no room", registry=REGISTRY
)

FOLDER_WAITING = Gauge(
    "gateway_folder_waiting_files", "Files in a drop folder that are not taken yet", ["source"], registry=REGISTRY
)
FOLDER_OLDEST = Gauge(
    "gateway_folder_oldest_seconds",
    "For how long the file has been in a drop folder that is there longest, 0 when there is none",
    ["source"],
    registry=REGISTRY,
)
FOLDER_WRITABLE = Gauge(
    "gateway_folder_writable",
    "1 when the last test could make and move a file in a drop folder, 0 when not",
    ["source"],
    registry=REGISTRY,
)
FOLDER_LOOKED = Gauge(
    "gateway_folder_looked_seconds", "Since when a drop folder was not looked at", ["source"], registry=REGISTRY
)
FOLDER_FREE = Gauge("gateway_folder_free_bytes", "Free bytes where a drop folder lies", ["source"], registry=REGISTRY)

REMOVED_CONTENTS = Counter("gateway_removed_contents", "Contents removed by retention", registry=REGISTRY)
REMOVED_BYTES = Counter("gateway_removed_bytes", "Bytes of contents removed by retention", registry=REGISTRY)
REMOVED_DOCUMENTS = Counter("gateway_removed_documents", "Documents whose rows retention removed", registry=REGISTRY)
REMOVED_FILES = Counter("gateway_removed_files", "Files of .done/ deleted by retention", registry=REGISTRY)
OLDEST_CONTENT = Gauge(
    "gateway_oldest_content_seconds", "Age of the oldest content that is kept, 0 when there is none", registry=REGISTRY
)
DATABASE_BYTES = Gauge("gateway_database_bytes", "Size of the database", registry=REGISTRY)
DATABASE_UNUSED = Gauge(
    "gateway_database_unused_bytes", "What of the database the next contents fill", registry=REGISTRY
)


def exposition() -> bytes:
    """All metrics in the text format that Prometheus scrapes."""
    return generate_latest(REGISTRY)
