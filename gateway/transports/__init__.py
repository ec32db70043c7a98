"""Transports: how a message leaves."""
