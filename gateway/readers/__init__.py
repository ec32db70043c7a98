"""Readers: bytes in, the business documents found in them out."""
