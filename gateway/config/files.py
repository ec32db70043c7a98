"""What the disk says of a configuration that is right in itself."""

from __future__ import annotations

import datetime as dt
import grp
import os
import ssl
import stat
from pathlib import Path

import msgspec

from gateway.config.structs import Config, Listener, Relaxation

_SUN_PATH = 107  # bytes of a Unix socket's path, unix(7)


def check_files(config: Config) -> list[str]:
    """What of the configuration's files and folders forbids to start, one sentence each."""
    problems = [_exposed(f"dkim.keys {key.selector}", key.file) for key in config.dkim]
    if config.relay.password_file is not None:
        file = config.relay.password_file
        problems.append(None if file.is_file() else f"relay.password_file: {file} is not there.")
        problems.append(_exposed("relay.password_file", file))
    problems += [problem for listener in config.listeners for problem in _certificate(listener)]
    for source in config.sources:
        if source.folder is not None:
            problems.append(_unusable(source.name, source.folder))
    for key, group in msgspec.structs.asdict(config.roles).items():
        problems.append(None if group is None else _unknown_group(f"roles.{key}", group))
    if len(os.fsencode(config.gateway.admin_socket)) > _SUN_PATH:
        problems.append(f"gateway.admin_socket: {config.gateway.admin_socket} is longer than {_SUN_PATH} bytes.")
    return [problem for problem in problems if problem is not None]


def check_keys(config: Config) -> list[str]:
    """Which signing keys are not there, one sentence each; documents are held until they are."""
    if not config.dkim:
        return ["dkim.keys: there is no signing key, and no mail leaves unsigned; make one with: gateway dkim keygen"]
    return [
        f"dkim.keys {key.selector}: {key.file} is not there or not ours to read; no mail leaves unsigned."
        for key in config.dkim
        if not os.access(key.file, os.R_OK, effective_ids=True)
    ]


def check_relaxations(config: Config, today: dt.date) -> list[str]:
    """What weakens security and has ended, one sentence each; the gateway starts, and is strict in this."""
    named: list[tuple[str, Relaxation | None]] = []
    for listener in config.listeners:
        named.append((f"listener {listener.host}:{listener.port}, tls_minimum", listener.weak))
    for source in config.sources:
        named.append((f'source "{source.name}", plain_auth', source.plain_auth))
        named.append((f'source "{source.name}", eod', source.lenient_eod))
    return [
        f"{name}: ended on {relaxation.expires}, and is strict since then; what it was for: {relaxation.reason}"
        for name, relaxation in named
        if relaxation is not None and not relaxation.holds(today)
    ]


def _certificate(listener: Listener) -> list[str | None]:
    if listener.certificate is None or listener.key is None:
        return []
    for name, file in (("certificate", listener.certificate), ("key", listener.key)):
        if not os.access(file, os.R_OK, effective_ids=True):
            return [f"listener.{name}: {file} is not there or not ours to read."]
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(listener.certificate, listener.key, password="")
    except (OSError, ssl.SSLError):
        return [f"listener.certificate: {listener.certificate} and {listener.key} are no certificate and its key."]
    return [_exposed("listener.key", listener.key)]


def _exposed(key: str, file: Path) -> str | None:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return None
    if mode & 0o027:
        return f"{key}: others can use {file} (mode {mode:04o}); run: chmod 0600 {file}"
    return None


def _unknown_group(key: str, group: str) -> str | None:
    try:
        grp.getgrnam(group)
    except KeyError:
        return f"{key}: there is no group {group}; run: groupadd --system {group}"
    return None


def _unusable(source: str, folder: Path) -> str | None:
    try:
        mode = folder.stat().st_mode
    except PermissionError:
        mode = stat.S_IFDIR
    except OSError:
        return f'source "{source}": the folder {folder} does not exist; run: mkdir -p {folder}'
    if not stat.S_ISDIR(mode):
        return f'source "{source}": {folder} is not a folder.'
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        return f'source "{source}": the folder {folder} is not ours to read and write.'
    return None
