"""Intake channels: how machines hand documents in."""
