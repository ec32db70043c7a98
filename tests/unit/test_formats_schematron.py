"""`gateway.formats.schematron`: rules that are looked up faster, and say of what is broken the very same."""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.formats import checking, schematron

GOLDEN = Path(__file__).parent.parent / "golden"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
CII, UBL = GOLDEN / "write-05-en16931-cii/out.xml", GOLDEN / "write-01-en16931-ubl/out.xml"
EXTENDED = GOLDEN / "write-12-facturx-extended/out.xml"
VALUES = ("", "0", "-1", "E", "Z", "K", "9999999.999", "XX")

HEAD = """<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="2.0"
 xmlns:svrl="http://purl.oclc.org/dsdl/svrl"><xsl:template match="text()" priority="-1"/>"""
START = """<xsl:template match="/"><svrl:schematron-output>
<svrl:active-pattern><xsl:apply-templates/></svrl:active-pattern>
<xsl:apply-templates select="/" mode="M1"/></svrl:schematron-output></xsl:template>"""
RULE = """<xsl:template match="{match}" mode="M1" priority="1000"><svrl:fired-rule/>
<svrl:failed-assert id="{{name()}}"/><xsl:apply-templates select="@*|*" mode="M1"/></xsl:template>"""
CHOICE = """<xsl:template match="//c" mode="M1" priority="1000"><xsl:variable name="b" select="b"/>
<xsl:choose><xsl:when test="{test}"/><xsl:otherwise><svrl:failed-assert id="{{@n}}"/></xsl:otherwise></xsl:choose>
<xsl:apply-templates select="@*|*" mode="M1"/></xsl:template>"""
DEFAULTS = """<xsl:template match="text()" mode="M1" priority="-1"/>
<xsl:template match="@*|node()" mode="M1" priority="-2"><xsl:apply-templates select="@*|*" mode="M1"/>
</xsl:template></xsl:stylesheet>"""


def rules(target: str, root: str) -> Path:
    path, _ = checking._find(checking.SETS[target][1], root)
    assert path
    return path


def report(sheet: Any, xml: bytes, processor: Any) -> Any:
    """What a compiled stylesheet says of `xml`; None where one of its conditions fails."""
    from saxonche import PySaxonApiError

    node = processor.parse_xml(xml_text=xml.decode())
    try:
        return etree.fromstring(sheet.transform_to_string(xdm_node=node).encode())
    except PySaxonApiError:
        return None


def broken(sheet: Any, xml: bytes, processor: Any = None) -> list[tuple[str | None, ...]] | None:
    said = report(sheet, xml, processor or checking._processor())
    if said is None:
        return None
    found = said.iter(f"{SVRL}failed-assert")
    return [
        (e.get("id"), e.get("flag"), e.get("location"), e.get("test"), " ".join("".join(e.itertext()).split()))
        for e in found
    ]


def spoilt(xml: bytes, count: int) -> Iterator[bytes]:
    """`xml`, and `count` documents that differ from it in up to five places; always the same ones."""
    chance = random.Random(5)
    yield xml
    for _ in range(count):
        tree = etree.fromstring(xml)
        for _ in range(chance.randint(1, 5)):
            element = chance.choice([e for e in tree.iter("{*}*") if e.getparent() is not None])
            match chance.randint(0, 2):
                case 0:
                    element.getparent().remove(element)
                case 1:
                    element.addnext(copy.deepcopy(element))
                case 2 if not len(element):
                    element.text = chance.choice(VALUES)
        yield etree.tostring(tree)


@functools.cache
def _open() -> Any:
    """An engine that may read files, as the published rules want."""
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


@functools.cache
def as_published(path: Path) -> Any:
    return _open().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


@pytest.mark.parametrize(
    ("target", "root", "golden"),
    [("en16931-cii", "CrossIndustryInvoice", CII), ("en16931-ubl", "Invoice", UBL)],
)
def test_of_broken_documents_it_says_what_the_published_rules_say(target: str, root: str, golden: Path) -> None:
    path = rules(target, root)
    ours, theirs = checking._stylesheet(path), as_published(path)
    ids = set()
    for document in spoilt(golden.read_bytes(), 30):
        found = broken(ours, document)
        assert found == broken(theirs, document, _open())
        ids |= {entry[0] for entry in found or ()}
    assert len(ids) > 12


def test_a_document_of_many_lines_is_gone_through_once_and_nothing_is_said_of_what_is_right() -> None:
    path = rules("en16931-cii", "CrossIndustryInvoice")
    lean = schematron.lean(path).text
    assert path.read_bytes().count(b'select="/"') > 60
    assert lean.count(b'select="/"') == 1
    assert lean.count(b"<xsl:apply-templates/>") == 0
    said = report(checking._stylesheet(path), CII.read_bytes(), checking._processor())
    assert [element.tag for element in said if isinstance(element.tag, str)] == [
        f"{SVRL}ns-prefix-in-attribute-values"
    ] * 4


@pytest.mark.parametrize(("amount", "is_broken"), [("1.00", True), (None, False)])
def test_what_is_about_all_lines_is_looked_for_once(amount: str | None, is_broken: bool) -> None:
    """A line of EXTENDED that sums up another, by the published rules and by ours: with another amount, and its own."""
    path = rules("facturx-extended", "CrossIndustryInvoice")
    assert b'<xsl:when test="every $item in $all1 satisfies' in b" ".join(schematron.lean(path).text.split())
    tree = etree.fromstring(EXTENDED.read_bytes())
    group, detail = tree.findall(".//{*}AssociatedDocumentLineDocument")
    for line, parent, kind in ((group, None, "GROUP"), (detail, group[0].text, "DETAIL")):
        for name, value in (("ParentLineID", parent), ("LineStatusReasonCode", kind)):
            if value:
                etree.SubElement(line, group[0].tag.replace("LineID", name)).text = value
    total, part = tree.findall(".//{*}SpecifiedTradeSettlementLineMonetarySummation/{*}LineTotalAmount")
    total.text = amount or part.text
    found = broken(checking._stylesheet(path), etree.tostring(tree))
    assert found == broken(as_published(path), etree.tostring(tree), _open())
    assert ("BR-FXEXT-08" in {entry[0] for entry in found or ()}) is is_broken


@pytest.mark.parametrize(
    ("test", "is_once"),
    [
        ("every $a in //a[b = 'x'] satisfies $a/@k", True),
        ("every $a in //a satisfies $a/@k", True),
        ("every $a in //a[b = current()/b] satisfies $a/@k", False),
        ("every $a in //a[b = $b] satisfies $a/@k", False),
        ("every $a in //a[1]/b satisfies $a/@k", False),
        ("every $a in .//a satisfies $a/@k", False),
        ("some $a in //a satisfies $a/@k", False),
    ],
)
def test_only_what_depends_on_the_document_alone_is_looked_for_once(tmp_path: Path, test: str, is_once: bool) -> None:
    sheet = tmp_path / "rules.xsl"
    sheet.write_text(HEAD + START + CHOICE.format(test=test) + DEFAULTS)
    assert (b"$all1" in schematron.lean(sheet).text) is is_once
    for key in ("", " k='1'"):
        document = f"<r><a{key}><b>x</b></a><c n='1'><b>x</b><a/></c><c n='2'><b>y</b></c></r>".encode()
        assert broken(checking._stylesheet(sheet), document) == broken(as_published(sheet), document, _open())


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("//ram:A", "//ram:A"),
        ("/rsm:A/ram:B[x = ']']/ram:C[. = 'S'][y[1]]", "/rsm:A/ram:B/ram:C"),
        ("//*[not(*) and not(normalize-space())]", "//*"),
        ("/a//b [c]\n / d", "/a//b/d"),
        ("/", None),
        ("a/b", None),
        ("//@x", None),
        ("//a/text()", None),
        ("//a | //b", None),
        ("//a except //b", None),
        ("//a[b", None),
    ],
)
def test_paths_to_the_elements_of_a_pattern(pattern: str, path: str | None) -> None:
    assert schematron.elements(pattern) == path


@pytest.mark.parametrize(
    ("patterns", "walks"),
    [
        (["//b", "//b/a"], False),
        (["//b[count(*) = 1]", "//a[1][. != ']']/b"], False),
        (["//a[normalize-space(b) = '']", "//c"], False),  # an error where there are two `b`: does not apply
        (["//@k", "//c"], True),
        (["//a"] * 5, True),
    ],
)
def test_what_can_only_be_found_by_walking_is_walked_to(tmp_path: Path, patterns: list[str], walks: bool) -> None:
    sheet = tmp_path / "rules.xsl"
    sheet.write_text(HEAD + START + "".join(RULE.format(match=pattern) for pattern in patterns) + DEFAULTS)
    assert (b'select="/"' in schematron.lean(sheet).text) is walks
    document = b"<r><a k='1'><b/><b><a><b>x</b></a></b></a><c><d>1</d><a/></c></r>"
    found = broken(checking._stylesheet(sheet), document)
    assert found == broken(as_published(sheet), document, _open())
    assert found


def test_a_stylesheet_that_does_more_than_skeletons_do_keeps_its_walks(tmp_path: Path) -> None:
    more = "<xsl:template match='r'><svrl:failed-assert id='more'/></xsl:template>"
    sheet = tmp_path / "rules.xsl"
    sheet.write_text(HEAD + START + more + RULE.format(match="//b") + DEFAULTS)
    document = b"<r><b/></r>"
    found = broken(checking._stylesheet(sheet), document)
    assert found == broken(as_published(sheet), document, _open())
    assert [entry[0] for entry in found or ()] == ["more", "b"]
