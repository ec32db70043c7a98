"""Postfix with a DKIM milter as the gateway's peer: a private instance on loopback, tuned, relaying to the sink.

Nothing of a Postfix that the machine has already is touched: configuration, queue, log and keys lie in a folder of
their own. Root is needed, because Postfix's processes change to their own users.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.peers import find, free_port

Milter = Literal["opendkim", "rspamd"]
DOMAIN = "seller.example"
PROGRAMS: Mapping[str, str] = {  # program -> Debian's package
    "postfix": "postfix",
    "smtp-source": "postfix",
    "opendkim": "opendkim",
    "rspamd": "rspamd",
}

# Above Debian's defaults: no wait on purpose, as many processes and connections as there is work for, no look-ups.
_MAIN = """
compatibility_level = 3.6
queue_directory = {base}/spool
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {base}/log/maillog
maillog_file_prefixes = {base}/log
myhostname = gateway.example
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:{relay}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = none
smtp_tls_security_level = none
smtputf8_enable = no
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
message_size_limit = 52428800
in_flow_delay = 0
default_process_limit = 200
default_destination_concurrency_limit = 50
initial_destination_concurrency = 50
smtp_connection_cache_destinations = 127.0.0.1
qmgr_message_active_limit = 50000
qmgr_message_recipient_limit = 50000
milter_default_action = tempfail
smtpd_milters = unix:{base}/milter/socket
"""
# name, type, private, unprivileged, wakeup, process limit, command
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_OPENDKIM = """
Syslog no
UserID opendkim
Mode s
Canonicalization relaxed/relaxed
Domain {domain}
Selector bench
KeyFile {base}/milter/key.pem
Socket local:{base}/milter/socket
UMask 000
PidFile {base}/milter/pid
RequireSafeKeys no
"""
_RSPAMD = """
options {{
  pidfile = "{base}/milter/pid"; filters = "dkim"; tempdir = "{base}/milter"; hs_cache_dir = "{base}/milter";
  cache_file = "{base}/milter/cache"; dynamic_conf = "{base}/milter/dynamic"; history_rows = 50;
  url_tld = "/usr/share/rspamd/effective_tld_names.dat"; local_addrs = [127.0.0.0/8];
  dns {{ timeout = 1s; nameserver = ["127.0.0.1"]; }}
}}
logging {{ type = "file"; filename = "{base}/log/rspamd"; level = "warning"; }}
actions {{ reject = 1000; }}
worker "rspamd_proxy" {{
  bind_socket = "{base}/milter/socket mode=0666"; milter = yes; count = 1; timeout = 60s;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
modules {{ path = "/usr/share/rspamd/plugins/dkim_signing.lua"; }}
dkim {{ check_local = false; check_authed = false; }}
dkim_signing {{
  enabled = true; sign_local = true; sign_authenticated = true; check_pubkey = false; try_fallback = false;
  allow_hdrfrom_mismatch = true; allow_username_mismatch = true; allow_envfrom_empty = true;
  use_domain = "header"; use_esld = false;
  domain {{ {domain} {{ path = "{base}/milter/key.pem"; selector = "bench"; }} }}
}}
"""
_MILTERS: Mapping[Milter, tuple[str, str, list[str]]] = {  # user, configuration, options
    "opendkim": ("opendkim", _OPENDKIM, ["opendkim", "-f", "-x", "{file}"]),
    "rspamd": ("_rspamd", _RSPAMD, ["rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", "{file}"]),
}


@dataclass(frozen=True)
class Peer:
    """A running Postfix with its milter."""

    port: int
    pids: tuple[int, ...]  # the two trees whose CPU time counts


def install() -> None:
    """Have the programs here, from Debian's packages; SystemExit 1 with what is missing where that cannot be done."""
    missing = sorted({package for program, package in PROGRAMS.items() if find(program) is None})
    if os.getuid() != 0:
        raise SystemExit("the comparison with Postfix needs root: Postfix's processes change to their own users")
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise SystemExit(f"the comparison with Postfix needs Debian's {', '.join(missing)}")
    silent = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        done = subprocess.run(["apt-get", "-qq", *command], env=silent, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise SystemExit(f"apt-get {' '.join(command)} failed; Postfix cannot be compared with")


@contextmanager
def running(folder: Path, milter: Milter, relay: int, key: bytes) -> Iterator[Peer]:
    """Postfix and `milter`, which signs with the PEM `key`, relaying to 127.0.0.1:`relay`; stopped at the end."""
    base = folder.absolute()
    port = free_port()
    for name in ("etc", "spool", "data", "log", "milter"):
        (base / name).mkdir(parents=True)
    _let_in(base)
    daemons = next(path for path in ("/usr/lib/postfix/sbin", "/usr/libexec/postfix") if Path(path).is_dir())
    facts = {"base": base, "domain": DOMAIN, "relay": relay, "port": port, "daemons": daemons}
    signer = _start_milter(base, milter, facts, key)
    try:
        (base / "etc/main.cf").write_text(_MAIN.format(**facts))
        (base / "etc/master.cf").write_text(_MASTER.format(**facts))
        shutil.chown(base / "data", "postfix")
        _postfix(base, "start")
        try:
            _await(lambda: _answers(port), "Postfix")
            yield Peer(port, (int((base / "spool/pid/master.pid").read_text()), signer.pid))
        finally:
            _postfix(base, "stop")
    finally:
        signer.terminate()
        signer.wait()


def _start_milter(base: Path, milter: Milter, facts: Mapping[str, object], key: bytes) -> subprocess.Popen[bytes]:
    user, text, command = _MILTERS[milter]
    folder = base / "milter"
    (folder / "key.pem").write_bytes(key)
    (folder / "key.pem").chmod(0o600)
    file = base / "etc/milter.conf"
    file.write_text(text.format(**facts))
    for path in (folder, folder / "key.pem", base / "log"):
        shutil.chown(path, user)
    (base / "log").chmod(0o777)
    program = find(command[0])
    assert program is not None
    with (base / "milter.out").open("wb") as out:
        signer = subprocess.Popen([program, *(word.format(file=file) for word in command[1:])], stdout=out, stderr=out)
    try:
        _await((folder / "socket").exists, milter)
    except BaseException:
        signer.kill()
        raise
    return signer


def _let_in(base: Path) -> None:
    """Postfix's users must reach the folder: every directory above it gets its x."""
    for path in (base, *base.parents):
        if path.stat().st_mode & 0o111 != 0o111:
            path.chmod(path.stat().st_mode | 0o111)


def _postfix(base: Path, verb: str) -> None:
    done = subprocess.run(
        [find("postfix") or "postfix", "-c", str(base / "etc"), verb], capture_output=True, text=True, check=False
    )
    if done.returncode and verb == "start":
        raise SystemExit(f"postfix {verb}: {done.stdout}{done.stderr}")


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as tried:
            return tried.recv(3) == b"220"
    except OSError:
        return False


def _await(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not start")
        time.sleep(0.05)
