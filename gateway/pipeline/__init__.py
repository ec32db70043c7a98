"""The pipeline: a submission becomes documents, a document becomes a signed message, or is held and says why.

    submission ──find──▶ documents ──read──▶ resolve ──▶ convert ──▶ compose ──▶ sign ──▶ queued
                                        └──────┴───────────┴───────────┴─────────┴──────▶ held

`loop` claims and guards, `finding` finds the documents in a submission, `steps` takes one to its end, `outgoing` writes
its message. What was claimed is leased in the store: a crash at any point leads to the same work done again, never to
a loss.
"""

from gateway.pipeline.loop import Pipeline

__all__ = ["Pipeline"]
