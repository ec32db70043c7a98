"""Who may do what: the one table of permissions, by route and by role.

A person has a role by being in its Unix group, which `[roles]` of the configuration names; root and the gateway's own
user are admin. The routes of `gateway.api` are checked against this table and nowhere else; what depends on the values
of a request (a new address) is checked where the values are. A route that the table lacks is for admins only.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from enum import StrEnum
from grp import getgrnam
from typing import Any

from gateway.config import Roles
from gateway.errors import Forbidden
from gateway.store.audit import Caller


class Permission(StrEnum):
    """One kind of thing that a person may do."""

    READ = "read"  # lists, states, settings; nothing of what stands in a document
    CONTENT = "content"  # one document: what was read in it, its files, its replies; every look is audited
    RESEND = "resend"  # send again, by the rules or to an address it went to before
    DIRECTORY = "directory"  # recipients and lists of them
    OPERATE = "operate"  # hold, release, cancel, retry, pause
    READDRESS = "readdress"  # send again to a new address
    SETTINGS = "settings"
    COMPANIES = "companies"
    BACKUP = "backup"
    AUDIT = "audit"  # read, check and export the audit
    ADMIN = "admin"  # what no other permission covers


_P = Permission
_VIEWER = frozenset({_P.READ})
_HELPDESK = _VIEWER | {_P.CONTENT, _P.RESEND}
_DIRECTORY = _HELPDESK | {_P.DIRECTORY}
_OPERATOR = _DIRECTORY | {_P.OPERATE, _P.READDRESS}

ROLES: Mapping[str, frozenset[Permission]] = {  # by what they may do, least first
    "viewer": _VIEWER,
    "helpdesk": _HELPDESK,
    "directory": _DIRECTORY,
    "operator": _OPERATOR,
    "admin": frozenset(Permission),
    "auditor": frozenset({_P.READ, _P.CONTENT, _P.AUDIT}),
}

ROUTES: Mapping[str, Permission | None] = {  # None: whoever reaches the socket
    "GET /me": None,
    "GET /status": _P.READ,
    "GET /events": _P.READ,
    "GET /health": _P.READ,
    "GET /metrics": _P.READ,
    "GET /companies": _P.READ,
    "POST /companies": _P.COMPANIES,
    "GET /waiting": _P.READ,
    "GET /held": _P.READ,
    "GET /choices": _P.READ,
    "GET /recipients": _P.READ,
    "GET /recipients/count": _P.READ,
    "POST /recipients": _P.DIRECTORY,
    "GET /recipients/{id}": _P.READ,
    "PATCH /recipients/{id}": _P.DIRECTORY,
    "DELETE /recipients/{id}": _P.DIRECTORY,
    "GET /recipients/{id}/history": _P.READ,
    "POST /recipients/{id}/undo": _P.DIRECTORY,
    "POST /imports": _P.DIRECTORY,
    "GET /imports/{id}": _P.DIRECTORY,
    "GET /imports/{id}/findings": _P.DIRECTORY,
    "GET /imports/{id}/changes": _P.DIRECTORY,
    "POST /imports/{id}/apply": _P.DIRECTORY,
    "GET /batches": _P.READ,
    "POST /batches/{id}/undo": _P.DIRECTORY,
    "GET /settings": _P.READ,
    "GET /settings/{key}": _P.READ,
    "PUT /settings/{key}": _P.SETTINGS,
    "GET /sources": _P.READ,
    "GET /documents": _P.READ,
    "GET /documents/count": _P.READ,
    "POST /documents/release": _P.OPERATE,
    "POST /documents/cancel": _P.OPERATE,
    "GET /documents/{id}": _P.CONTENT,
    "GET /documents/{id}/trace": _P.CONTENT,
    "GET /documents/{id}/original": _P.CONTENT,
    "GET /documents/{id}/message": _P.CONTENT,
    "GET /documents/{id}/text": _P.CONTENT,
    "POST /documents/{id}/release": _P.OPERATE,
    "POST /documents/{id}/cancel": _P.OPERATE,
    "POST /documents/{id}/resend": _P.RESEND,
    "GET /queue": _P.READ,
    "GET /queue/count": _P.READ,
    "GET /queue/hops": _P.READ,
    "POST /queue/pause": _P.OPERATE,
    "POST /queue/resume": _P.OPERATE,
    "POST /queue/{verb}": _P.OPERATE,
    "GET /audit": _P.AUDIT,
    "GET /audit/count": _P.AUDIT,
    "GET /audit/verify": _P.AUDIT,
    "GET /audit/export": _P.AUDIT,
    "POST /backup": _P.BACKUP,
}


def needed(method: str, path: str) -> Permission | None:
    """The permission that a route needs, None when it needs none."""
    return ROUTES.get(f"{method} {path}", Permission.ADMIN)


def caller_of(uid: int, groups: Roles) -> Caller:
    """The person with this user id and the roles that they have now; asks the system's user database (may block)."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Caller(uid=uid, user=f"uid {uid}", roles=("admin",) if uid == os.geteuid() else ())
    if uid in (0, os.geteuid()):
        return Caller(uid=uid, user=entry.pw_name, roles=("admin",))
    member_of = set(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Caller(uid=uid, user=entry.pw_name, roles=tuple(role for role in ROLES if _gid(groups, role) in member_of))


def _gid(groups: Roles, role: str) -> int | None:
    name = getattr(groups, role)
    try:
        return None if name is None else getgrnam(name).gr_gid
    except KeyError:  # the group was deleted since the start: nobody has the role
        return None


def permissions(who: Caller) -> frozenset[Permission]:
    """What all roles of the caller together allow."""
    return frozenset().union(*(ROLES[role] for role in who.roles))


def require(who: Caller, permission: Permission | None) -> None:
    """Forbidden, with one sentence that names the missing role, when the caller lacks the permission."""
    if permission is not None and permission not in permissions(who):
        raise Forbidden(denial(who, permission))


def denial(who: Caller, permission: Permission) -> str:
    """Why the caller may not do what needs the permission."""
    if not who.roles:
        return f"{who.user} may not use the gateway: only its owner and root may, and the groups that [roles] names."
    missing = next(role for role, may in ROLES.items() if permission in may)
    return f"This needs the role {missing}; {who.user} has only {' and '.join(who.roles)}."


def show(who: Caller) -> dict[str, Any]:
    """Name, roles and permissions; for each that is lacking the role that has it and the sentence that says why."""
    may = permissions(who)
    return {
        "uid": who.uid,
        "user": who.user,
        "roles": list(who.roles),
        "permissions": [str(permission) for permission in Permission if permission in may],
        "missing": {str(p): next(role for role, has in ROLES.items() if p in has) for p in Permission if p not in may},
        "denied": {str(p): denial(who, p) for p in Permission if p not in may},
    }
