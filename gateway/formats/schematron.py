"""Schematron rules as XSLT (ISO/IEC 19757-3), made to report only what is broken, to look only where a rule applies,
and to need no file while they run.

As published, such a stylesheet writes an element for each rule it tried on each node, and goes through the whole
document once for each of its patterns and once more for nothing: over 9 MB, 130 times and 19 MB of report.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

_XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_TALK: Final = tuple(f"{_SVRL}{name}" for name in ("fired-rule", "suppressed-rule", "successful-report"))
_MOST: Final = 4  # rules of a pattern that are looked for by their paths; one walk costs less than many paths
_FILE: Final = re.compile(r"document\(\s*(?P<quote>['\"])(?P<name>[\w.-]+)(?P=quote)\s*\)")
_ALL: Final = re.compile(r"\s*every \$\w+ in ")
_NAMES: Final = re.compile(r"//?(?:[\w.-]+:)?(?:[\w.-]+|\*)(?://?(?:[\w.-]+:)?(?:[\w.-]+|\*))*")  # elements on a path


class Sheet(NamedTuple):
    """A stylesheet, and the XML files that it reads, each under the name of the parameter that it expects it in."""

    text: bytes
    files: dict[str, Path]


def lean(path: Path) -> Sheet:
    """The stylesheet in the file `path`, rewritten; what it says of broken assertions stays the same.

    It is run without access to files: the lists of codes that stand beside it become parameters.
    """
    from lxml import etree

    sheet = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    files = _be_given(sheet, path.resolve().parent)
    for output in sheet.findall(f"{_XSL}output"):
        output.set("indent", "no")
    for said in list(sheet.iter(*_TALK)):
        _leave_out(said)
    _look_once(sheet)
    _walk_less(sheet)
    return Sheet(bytes(etree.tostring(sheet)), files)


def _be_given(sheet: Any, folder: Path) -> dict[str, Path]:
    """Let `sheet` have as a parameter what it reads from `folder` by a plain name; everything else fails when run."""
    from lxml import etree

    found: dict[Path, str] = {}

    def parameter(call: re.Match[str]) -> str:
        file = (folder / call["name"]).resolve()
        is_beside = file.parent == folder and file.is_file()
        return f"${found.setdefault(file, f'file{len(found) + 1}')}" if is_beside else call[0]

    for element in sheet.iter(f"{_XSL}*"):
        for name, value in element.items():
            if "document(" in value:
                element.set(name, _FILE.sub(parameter, value))
    for name in found.values():
        etree.SubElement(sheet, f"{_XSL}param", {"name": name})
    return {name: file for file, name in found.items()}


def _look_once(sheet: Any) -> None:
    """Let a condition about all elements of a kind, which is tried on each of them, find those once.

    Such a choice depends on nothing but the document: its conditions name no variable and no current element.
    """
    from lxml import etree

    found: dict[str, str] = {}
    for when in sheet.iter(f"{_XSL}when"):
        begin = _ALL.match(when.get("test", ""))
        chosen = _path(when.get("test")[begin.end() :]) if begin else ""
        if begin and chosen and not any(word in chosen for word in ("$", "current(", "position(", "last(")):
            name = found.setdefault(chosen, f"all{len(found) + 1}")
            when.set("test", f"{begin[0]}${name}{when.get('test')[begin.end() + len(chosen) :]}")
    for path, name in found.items():
        etree.SubElement(sheet, f"{_XSL}variable", {"name": name, "select": path})


def _path(text: str) -> str:
    """The `//name[…]` before `satisfies` that `text` begins with; empty where it begins otherwise."""
    path, _, rest = text.partition(" satisfies")
    plain = elements(path)
    return path if rest and plain and plain.startswith("//") and plain.count("/") == 2 else ""


def _leave_out(said: Any) -> None:
    parent = said.getparent()
    parent.remove(said)
    if parent.tag == f"{_XSL}if" and not len(parent):  # whether to report: nobody asks any more
        parent.getparent().remove(parent)


def _walk_less(sheet: Any) -> None:
    """Of a stylesheet that ISO's skeleton made: drop the walks that find nothing, and replace those for few rules."""
    templates = sheet.findall(f"{_XSL}template")
    start = [template for template in templates if template.get("match") == "/" and not template.get("mode")]
    plain = [template for template in templates if template.get("match") and not template.get("mode")]
    if len(start) != 1 or any(len(template) for template in plain if template is not start[0]):
        return
    for active in list(start[0].iter(f"{_SVRL}active-pattern")):
        active.getparent().remove(active)
    patterns = defaultdict(list)
    for template in templates:
        patterns[template.get("mode")].append(template)
    for call in list(_calls(start[0])):
        _look_directly(call, patterns[call.get("mode")])


def _look_directly(call: Any, templates: list[Any]) -> None:
    """Let `call`, which begins the walk through a pattern of a few rules, choose the elements they can be about.

    A rule's conditions stay where they are: an error in one means that the rule does not apply (XSLT 2.0 §5.5.4).
    """
    defaults = [template for template in templates if _is_default(template)]
    rules = [template for template in templates if not _is_default(template)]
    paths = [elements(rule.get("match")) for rule in rules]
    if call.get("select") != "/" or not 0 < len(rules) <= _MOST or not all(paths) or not all(map(_goes_on, rules)):
        return
    call.set("select", " | ".join(filter(None, paths)))
    for onward in [template[-1] for template in (*defaults, *rules) if len(template)]:
        onward.getparent().remove(onward)


def _calls(element: Any) -> Iterator[Any]:
    found: Iterator[Any] = element.iter(f"{_XSL}apply-templates")
    return found


def _is_default(template: Any) -> bool:
    """What skeletons add to each pattern for the nodes that no rule is about."""
    return (template.get("match"), template.get("priority")) in {("text()", "-1"), ("@*|node()", "-2")}


def _goes_on(rule: Any) -> bool:
    """Whether `rule` ends with the walk to what is inside, and has no other."""
    onward = [call for call in _calls(rule) if call.get("mode") == rule.get("mode")]
    return onward == [rule[-1]] and onward[0].get("select") in ("@*|*", "*")


def elements(pattern: str) -> str | None:
    """The path to all elements that an XSLT pattern can match, without its conditions; None for any other node."""
    kept, depth, quote = "", 0, ""
    for character in pattern:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        depth += (character == "[" and not quote) - (character == "]" and not quote)
        if not depth and character != "]":
            kept += character
    path = re.sub(r"\s*(/+)\s*", r"\1", kept.strip())
    return path if not depth and _NAMES.fullmatch(path) else None
