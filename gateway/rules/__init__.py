"""Recipient rules: which address a document goes to."""
