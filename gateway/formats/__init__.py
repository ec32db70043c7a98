"""Formats a recipient can ask for."""
