"""Roles: the table against the routes, who the kernel says asks, and the audit of what people look at."""

from __future__ import annotations

import asyncio
import datetime as dt
import grp
import json
import logging
import os
import pwd
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import config
from gateway.admin import roles
from gateway.admin.roles import Permission, caller_of
from gateway.admin.running import Running
from gateway.api import AdminServer, make_app
from gateway.client import Client, path_of
from gateway.daemon import Daemon
from gateway.door import SocketServer
from gateway.errors import Forbidden, NotFound, Refused
from gateway.model import show_id
from gateway.store import Store, audit, companies, documents, messages, submissions
from gateway.store.audit import Caller
from tests.store.samples import OWNER, new_message, submission

NOBODY = 987654  # a user id that the user database does not know
READS = {"read"}
HELPDESK = READS | {"content", "resend"}
DIRECTORY = HELPDESK | {"directory"}
OPERATOR = DIRECTORY | {"operate", "readdress"}
EXPECTED = {  # the roles as the documentation has them
    (): set(),
    ("viewer",): READS,
    ("helpdesk",): HELPDESK,
    ("directory",): DIRECTORY,
    ("operator",): OPERATOR,
    ("admin",): OPERATOR | {"settings", "companies", "backup", "audit", "admin"},
    ("auditor",): READS | {"content", "audit"},
    ("auditor", "directory"): DIRECTORY | {"audit"},
}


class Door:
    """The API at a socket, for a caller with the roles that `roles` has at the moment."""

    def __init__(self, store: Store, path: Path) -> None:
        self.store = store
        self.roles: tuple[str, ...] = ()
        self.client = Client(path, timeout=10)
        running = Running(store=store, config=config.Config())
        self.app = make_app(running, lambda uid: Caller(uid=uid, user="anna", roles=self.roles))
        self.server = SocketServer(path, self.app, None)

    async def ask(self, method: str, *args: Any, **more: Any) -> Any:
        return await asyncio.to_thread(getattr(self.client, method), *args, **more)

    async def answers(self, method: str, path: str) -> tuple[int, str]:
        """Status and body of the answer to a request with an empty body."""
        reader, writer = await asyncio.open_unix_connection(str(self.client.path))
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
        head, _, body = (await asyncio.wait_for(reader.read(), 10)).decode().partition("\r\n\r\n")
        writer.close()
        return int(head.split()[1]), body

    async def audited(self) -> list[tuple[str, str, Any, str | None]]:
        rows = await self.store.read(audit.list_audit, audit.Filter())
        return [(row["action"], row["object"], row["after"], row["reason"]) for row in reversed(rows)]


@pytest.fixture
async def door(store: Store, now: dt.datetime, tmp_path: Path) -> AsyncIterator[Door]:
    await store.write(companies.ensure_company, "default", now)
    made = Door(store, tmp_path / "admin.sock")
    await made.server.start()
    yield made
    await made.server.stop()


def put(connection: Any, now: dt.datetime) -> str:
    """A document with one delivery to a@example.com; its id."""
    submissions.accept(connection, submission(now, b"original bytes"), now)
    (claimed,) = submissions.claim(connection, OWNER, now, now + dt.timedelta(minutes=5), 1)
    new = submissions.NewDocument(file_name="a.xml", media_type="application/xml", fields=claimed.fields)
    (found,) = submissions.finish(connection, claimed, [new], OWNER, now, now + dt.timedelta(minutes=5))
    messages.queue(connection, found.id, OWNER, documents.Finding(), new_message(now, "a@example.com"), now)
    return show_id(found.id)


# --- the table -------------------------------------------------------------------------------------------


def routes(door: Door) -> list[tuple[str, str]]:
    return [(method, route.path) for route in door.app.routes for method in getattr(route, "methods", ())]  # type: ignore[attr-defined]


async def test_every_route_stands_in_the_table_and_in_the_matrix(door: Door) -> None:
    assert {f"{method} {path}" for method, path in routes(door)} == set(roles.ROUTES) == set(matrix())


def test_roles_are_those_of_the_documentation() -> None:
    for names, may in EXPECTED.items():
        assert roles.permissions(Caller(uid=1, user="anna", roles=names)) == may
    assert {names[0] for names in EXPECTED if len(names) == 1} == set(roles.ROLES)
    assert set(config.KEYS["roles"]) == {"socket_group", *roles.ROLES}


def test_no_change_needs_a_permission_to_read_and_no_reader_has_another() -> None:
    for route, need in roles.ROUTES.items():
        reading = need in (None, Permission.READ, Permission.CONTENT, Permission.AUDIT)
        assert reading or need is Permission.DIRECTORY or not route.startswith("GET")
        assert not (reading and not route.startswith("GET")), route


def test_what_the_table_lacks_is_for_admins() -> None:
    assert roles.needed("GET", "/something/new") is Permission.ADMIN


LETTERS = dict(zip("vhdoau", ("viewer", "helpdesk", "directory", "operator", "admin", "auditor"), strict=True))


def matrix() -> dict[str, set[str] | None]:
    """Request -> roles that may ask it, as `role_matrix.txt` has them; None when nobody needs a role."""
    lines = (Path(__file__).parent / "role_matrix.txt").read_text().splitlines()
    rows = (line.rsplit(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return {
        request.strip(): None if may == "-" else {LETTERS[letter] for letter in may if letter != "."}
        for request, may in rows
    }


@pytest.mark.parametrize("names", EXPECTED, ids=lambda names: "+".join(names) or "none")
async def test_each_request_by_each_role(door: Door, names: tuple[str, ...]) -> None:
    door.roles = names
    for request, may in matrix().items():
        method, path = request.split()
        real = path.replace("{id}", "0000000000000").replace("{verb}", "retry").replace("{key}", "sender.name")
        real += "?after=0&limit=1" if path == "/events" else ""  # else it never ends
        status, _ = await door.answers(method, real)
        assert (status == 403) is (may is not None and may.isdisjoint(names)), request
        assert status < 500 or path == "/imports", request  # lists need workers, which are not here


@pytest.mark.parametrize(
    ("names", "request_", "says"),
    [
        ((), ("GET", "/status"), "anna may not use the gateway: only its owner and root may"),
        (("viewer",), ("GET", "/documents/0000000000000"), "This needs the role helpdesk; anna has only viewer."),
        (("viewer",), ("POST", "/recipients"), "This needs the role directory; anna has only viewer."),
        (("auditor", "viewer"), ("POST", "/queue/hold"), "needs the role operator; anna has only auditor and viewer."),
        (("operator",), ("PUT", "/settings/sender.name"), "This needs the role admin; anna has only operator."),
        (("operator",), ("GET", "/audit"), "This needs the role admin; anna has only operator."),
    ],
)
async def test_refusal_names_the_missing_role(
    door: Door, names: tuple[str, ...], request_: tuple[str, str], says: str
) -> None:
    door.roles = names
    status, body = await door.answers(*request_)
    assert status == 403
    assert says in json.loads(body)["error"]
    assert await door.audited() == []


async def test_me_says_what_and_why_not(door: Door) -> None:
    door.roles = ("auditor",)
    me = await door.ask("get", "/me")
    assert (me["user"], me["uid"], me["roles"]) == ("anna", os.getuid(), ["auditor"])
    assert me["permissions"] == ["read", "content", "audit"]
    assert me["denied"]["operate"] == "This needs the role operator; anna has only auditor."
    assert me["missing"]["operate"] == "operator"
    assert set(me["missing"]) == set(me["denied"])
    assert set(me["permissions"]) | set(me["denied"]) == set(Permission)
    door.roles = ()
    assert (await door.ask("get", "/me"))["permissions"] == []


# --- what the values of a request decide -----------------------------------------------------------------


async def test_help_desk_sends_again_only_where_it_went(door: Door, now: dt.datetime) -> None:
    path = path_of("documents", await door.store.write(put, now))
    door.roles = ("operator",)
    await door.ask("post", f"{path}/cancel", {})
    door.roles = ("helpdesk",)
    for to in ("new@example.com", "a@example.com; new@example.com"):
        with pytest.raises(Forbidden, match="needs the role operator; anna has only helpdesk"):
            await door.ask("post", f"{path}/resend", {"to": to})
    assert (await door.ask("post", f"{path}/resend", {"to": "a@example.com"}))["state"] == "received"
    door.roles = ("operator",)
    await door.ask("post", f"{path}/cancel", {})
    door.roles = ("helpdesk",)
    assert (await door.ask("post", f"{path}/resend", {}))["state"] == "received"
    door.roles = ("operator",)
    await door.ask("post", f"{path}/cancel", {})
    assert (await door.ask("post", f"{path}/resend", {"to": "new@example.com"}))["state"] == "received"


# --- who asks --------------------------------------------------------------------------------------------


def other_user() -> Iterator[pwd.struct_passwd]:
    """Users of this machine who are neither root nor us; first those whose group's number is no user's."""
    numbers = {user.pw_uid for user in pwd.getpwall()}
    for user in sorted(pwd.getpwall(), key=lambda user: user.pw_gid in numbers):
        if user.pw_uid not in (0, os.geteuid()) and user.pw_gid != os.getegid():
            try:
                grp.getgrgid(user.pw_gid)
            except KeyError:
                continue
            yield user


def test_roles_come_from_the_user_database() -> None:
    user = next(other_user())
    group = grp.getgrgid(user.pw_gid).gr_name
    found = caller_of(user.pw_uid, config.Roles(socket_group=group, helpdesk=group, auditor=group, viewer="no-such"))
    assert found == Caller(uid=user.pw_uid, user=user.pw_name, roles=("helpdesk", "auditor"))
    assert caller_of(user.pw_uid, config.Roles(socket_group=group)).roles == ()


def test_root_and_we_are_admin_and_the_unknown_nothing() -> None:
    assert caller_of(0, config.Roles()).roles == ("admin",)
    assert caller_of(os.geteuid(), config.Roles()).roles == ("admin",)
    assert caller_of(NOBODY, config.Roles(socket_group="root", admin="root")) == Caller(
        uid=NOBODY, user=f"uid {NOBODY}"
    )


_ASK = """
import os, socket, sys
os.setgroups([int(sys.argv[3])]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))
for request in sys.argv[4:]:
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall((request + " HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n").encode())
    print(s.makefile("rb").read().decode().split()[1])
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_process_of_another_user_has_the_role_of_its_group(store: Store, now: dt.datetime) -> None:
    await store.write(companies.ensure_company, "default", now)
    user = next(other_user())
    group = grp.getgrgid(user.pw_gid).gr_name
    stranger = next(other for other in other_user() if other.pw_gid != user.pw_gid)
    asked = ("GET /status", "GET /documents", "POST /queue/retry", "GET /audit", "GET /me")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder) / "admin.sock"
        names = config.Roles(socket_group=group, viewer=group)
        server = AdminServer(path, Running(store=store, config=config.Config(roles=names)))
        await server.start()
        found = os.stat(path)
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, user.pw_gid)
        try:
            said = await _ask(path, user, asked)
            refused = await _ask(path, stranger, asked)
        finally:
            await server.stop()
    assert said.stdout.split() == ["200", "200", "403", "403", "200"]
    assert "PermissionError" in refused.stderr


async def _ask(path: Path, user: pwd.struct_passwd, asked: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", "-c", _ASK, str(path), str(user.pw_uid), str(user.pw_gid), *asked]
    return await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, timeout=30)


async def test_socket_of_a_group_that_is_not_there_is_refused_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    server = SocketServer(path, None, "no-such-group")
    with pytest.raises(Refused, match="no-such-group is not there"):
        await server.start()
    assert not path.exists()


# --- what the audit keeps --------------------------------------------------------------------------------


async def test_every_look_at_a_document_is_audited(door: Door, now: dt.datetime) -> None:
    door.roles = ("helpdesk",)
    id_ = await door.store.write(put, now)
    await door.ask("get", "/documents")
    assert await door.audited() == []
    await door.ask("get", path_of("documents", id_))
    await door.ask("get", path_of("documents", id_, "trace"))
    assert b"".join(await asyncio.to_thread(list, door.client.stream(path_of("documents", id_, "original"))))
    looks = [("document.look", id_, {"what": what}, None) for what in ("document", "trace", "original")]
    assert await door.audited() == looks
    (row,) = await door.store.read(audit.list_audit, audit.Filter(company="default", user="anna", limit=1))
    assert row["uid"] == os.getuid()
    with pytest.raises(NotFound):
        await door.ask("get", "/documents/0000000000000/original")
    assert len(await door.audited()) == 3


def test_every_route_to_content_is_one_document_s() -> None:
    for route, need in roles.ROUTES.items():
        if need is Permission.CONTENT:
            assert route.startswith("GET /documents/{id}"), "a look names its document"


async def test_reason_is_kept_with_every_change(door: Door, now: dt.datetime, tmp_path: Path) -> None:
    door.roles = ("admin",)
    id_ = await door.store.write(put, now)
    why: dict[str, object] = {"reason": "  asked\nfor by phone "}
    added = await door.ask("post", "/recipients", {"number": "1", "email": "b@example.com", **why})
    place = path_of("recipients", added["id"])
    await door.ask("patch", place, {"name": "B", **why})
    await door.ask("delete", place, None, "asked for by phone")
    await door.ask("put", "/settings/sender.name", {"value": "Acme", **why})
    await door.ask("post", "/companies", {"name": "acme", **why})
    await door.ask("post", "/queue/hold", {"all": True, **why})
    await door.ask("post", "/queue/release", {"all": True, **why})
    (hop,) = [row["next_hop"] for row in await door.ask("get", "/queue/hops")]
    await door.ask("post", "/queue/pause", {"next_hop": hop, **why})
    await door.ask("post", "/queue/resume", {"next_hop": hop, **why})
    await door.ask("post", path_of("documents", id_, "cancel"), why)
    await door.ask("post", path_of("documents", id_, "resend"), why)
    await door.ask("post", "/backup", {"file": str(tmp_path / "copy.db"), **why})
    rows = await door.audited()
    assert len(rows) == 12
    assert {reason for *_, reason in rows} == {"asked for by phone"}
    await door.ask("put", "/settings/sender.name", {"value": "Acme AB"})
    assert (await door.audited())[-1][3] is None


# --- verify and export -----------------------------------------------------------------------------------


async def test_verify_names_the_first_broken_row(door: Door) -> None:
    door.roles = ("admin",)
    for name in ("a", "b", "c"):
        await door.ask("post", "/companies", {"name": name})
    door.roles = ("auditor",)
    good = await door.ask("get", "/audit/verify")
    assert (good["ok"], good["rows"], good["broken"], good["sentence"]) == (True, 3, None, None)
    assert (await door.ask("get", "/audit/verify", {"root": good["root"]}))["ok"]
    assert (await door.ask("get", "/audit/verify", {"root": "2:" + "0" * 64}))["broken"] == 2
    with pytest.raises(Refused, match="NUMBER:HASH"):
        await door.ask("get", "/audit/verify", {"root": "2"})
    await door.store.write(lambda connection: connection.exec_driver_sql("DELETE FROM audit WHERE seq = 2"))
    bad = await door.ask("get", "/audit/verify")
    assert (bad["ok"], bad["rows"], bad["broken"]) == (False, 1, 2)


async def test_changes_at_once_make_one_chain(door: Door) -> None:
    door.roles = ("admin",)
    values = [{"number": str(number), "email": "a@example.com"} for number in range(60)]
    values += [{"number": "1", "email": "refused"}] * 20  # rolled back in the midst of the others
    done = await asyncio.gather(*(door.ask("post", "/recipients", each) for each in values), return_exceptions=True)
    assert sum(isinstance(each, Refused) for each in done) == 20
    found = await door.ask("get", "/audit/verify")
    assert (found["ok"], found["rows"]) == (True, 60)


async def test_root_goes_to_the_log_once_a_day(
    tmp_path: Path, now: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.mail")
    daemon = Daemon(config.embedded_defaults(tmp_path))
    daemon.store.open()
    try:
        await daemon.say_root(now.date())
        await daemon.store.write(audit.record, Caller(uid=0, user="root"), "a", "b", None, None, now)
        await daemon.say_root(now.date())
        await daemon.say_root(now.date() + dt.timedelta(days=1))
        seq, digest = await daemon.store.read(audit.head)
    finally:
        await daemon.store.close()
    said = [record.message for record in caplog.records if record.message.startswith("audit-root")]
    assert said == [f"audit-root root=0:{'00' * 32}", f"audit-root root=1:{digest.hex()}"]
    assert seq == 1


async def test_export_is_all_rows_oldest_first(door: Door, now: dt.datetime) -> None:
    def many(connection: Any) -> None:
        for number in range(1203):
            audit.record(connection, Caller(uid=1, user="anna"), "a.b", str(number), None, {"ö": number}, now)

    await door.store.write(many)
    door.roles = ("auditor",)
    blob = b"".join(await asyncio.to_thread(list, door.client.stream("/audit/export")))
    rows = [json.loads(line) for line in blob.splitlines()]
    assert [row["object"] for row in rows] == [str(number) for number in range(1203)]
    assert (rows[7]["seq"], rows[7]["after"], len(rows[7]["hash"])) == (8, {"ö": 7}, 64)
    none = await asyncio.to_thread(list, door.client.stream("/audit/export", {"user": "bob"}))
    assert b"".join(none) == b""
    with pytest.raises(Refused, match="limit"):
        await asyncio.to_thread(list, door.client.stream("/audit/export", {"limit": 3}))
