"""Every sentence and cause that the gateway can say to the screens, found in its code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import gateway

FOLDER = Path(gateway.__file__).parent
RAISED = {  # the calls whose argument of that place is a sentence for people
    **dict.fromkeys(("Refused", "NotFound", "Forbidden", "Conflict", "Temporary", "Busy", "Corrupt"), 0),
    **dict.fromkeys(("Unreadable", "Unconvertible"), 1),
}
ELSEWHERE = (  # said to others: on a command line, in the log and beside a file, to a peer, at a start
    *("cli/", "config/", "smtp/", "transports/", "intake/", "daemon.py", "door.py", "signing.py", "client.py"),
    *("constants.py", "jobs.py", "store/__init__.py", "store/database.py", "store/dropped.py", "store/content.py"),
)
Named = Mapping[str, Sequence[ast.expr]]


def sentences() -> Iterator[tuple[str, str]]:
    """Where it stands, and the sentence with {} where a value is."""
    for where, call, named in _calls():
        name = _name(call.func)
        said = [call.args[RAISED[name]]] if name in RAISED and len(call.args) > RAISED[name] else []
        said += [keyword.value for keyword in call.keywords if keyword.arg == "sentence"]
        for node in said:
            yield from ((where, text) for text in texts(node, named))


def likely() -> Iterator[tuple[str, str]]:
    """Whatever reads like a sentence."""
    for place, tree in _trees().items():
        if place in ("workbook/writing.py", "settings.py", "wording.py"):
            continue
        beside = _beside(tree)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in beside:
                for text in texts(node, {}):
                    if re.fullmatch(r"[A-Z{].*\w.*\.", text, re.DOTALL) and len(text.split()) > 3:
                        yield f"{place}:{node.lineno}", text


def _beside(tree: ast.Module) -> set[int]:
    """The docstrings, and the pieces of formatted texts."""
    found: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            found.add(id(body[0].value))
        if isinstance(node, ast.JoinedStr):
            found |= {id(each) for each in ast.walk(node) if each is not node}
    return found


def causes() -> Iterator[tuple[str, str]]:
    """Where it stands, and the cause under which a document is held."""
    for where, call, named in _calls():
        for keyword in call.keywords:
            if keyword.arg == "cause" and _name(call.func) in ("Hold", "replace", "Came", "cls"):
                yield from ((where, text) for text in texts(keyword.value, named) if text != "{}")


@cache
def _trees() -> dict[str, ast.Module]:
    files = {file.relative_to(FOLDER).as_posix(): file for file in sorted(FOLDER.rglob("*.py"))}
    return {
        place: ast.parse(file.read_text(encoding="utf-8"))
        for place, file in files.items()
        if not place.startswith(ELSEWHERE)
    }


def _calls() -> Iterator[tuple[str, ast.Call, Named]]:
    """Every call, with what the names of its function can be."""
    shared = {name: values for tree in _trees().values() for name, values in _assigned(tree.body).items()}
    for place, tree in _trees().items():
        for top in (
            node for each in tree.body for node in ([each] if not isinstance(each, ast.ClassDef) else each.body)
        ):
            named = shared | _assigned([node for node in ast.walk(top) if isinstance(node, ast.stmt)])
            for node in ast.walk(top):
                if isinstance(node, ast.Call):
                    yield f"{place}:{node.lineno}", node, named


def _assigned(body: Sequence[ast.stmt]) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(node, ast.Assign):
                found.setdefault(target.id, []).append(node.value)
    return found


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def texts(node: ast.expr, named: Named) -> Iterator[str]:
    """The texts that an expression can be, as far as the code says; a value that it does not know is `{}`."""
    if isinstance(node, ast.IfExp):
        yield from texts(node.body, named)
        yield from texts(node.orelse, named)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for left in texts(node.left, named):
            yield from (left + right for right in texts(node.right, named))
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif _name(node) in named and not isinstance(node, ast.Call):
        rest = {name: values for name, values in named.items() if name != _name(node)}
        for value in named[_name(node)]:
            yield from texts(value, rest)
    else:
        yield "{}"
