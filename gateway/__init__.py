"""A self-hosted document mail gateway: documents in by mail or folder, signed mails out to the right customer."""

__version__ = "0.1.0"
