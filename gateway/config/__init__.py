"""The operator's facts: `gateway.toml`, read once at start; every unknown key is refused."""

from gateway.config.files import check_files, check_keys, check_relaxations
from gateway.config.loading import KEYS, find, load
from gateway.config.structs import (
    MIB,
    Config,
    DkimKey,
    DnsServer,
    Gateway,
    Listener,
    Rate,
    Relaxation,
    Relay,
    Retention,
    Roles,
    Section,
    Sender,
    Source,
    embedded_defaults,
)

__all__ = [
    "KEYS",
    "MIB",
    "Config",
    "DkimKey",
    "DnsServer",
    "Gateway",
    "Listener",
    "Rate",
    "Relaxation",
    "Relay",
    "Retention",
    "Roles",
    "Section",
    "Sender",
    "Source",
    "check_files",
    "check_keys",
    "check_relaxations",
    "embedded_defaults",
    "find",
    "load",
]
