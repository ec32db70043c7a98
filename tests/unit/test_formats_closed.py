"""Rules run without files and without network: what a hostile stylesheet or document asks for is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from gateway.formats import checking

SECRET = "what-nobody-may-see"
SHEET = """<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="3.0"
 xmlns:svrl="http://purl.oclc.org/dsdl/svrl" xmlns:xs="http://www.w3.org/2001/XMLSchema">{top}
<xsl:template match="/"><r><svrl:failed-assert id="said">{inside}</svrl:failed-assert></r></xsl:template>
</xsl:stylesheet>"""
SAID = '<xsl:value-of select="{}"/>'
ENTITY = "&lt;!DOCTYPE a [&lt;!ENTITY e SYSTEM &quot;{uri}/secret.txt&quot;>]>&lt;a>&amp;e;&lt;/a>"
INSIDE = {  # what a template asks for, with the folder's address
    "doc": SAID.format("doc('{uri}/secret.xml')"),
    "document": SAID.format("document('{uri}/secret.xml')"),
    "document of two": SAID.format("document(('{uri}/secret.xml', '{uri}/other.xml'))"),
    "doc-available": SAID.format("if (doc-available('{uri}/secret.xml')) then '" + SECRET + "' else ''"),
    "source-document": '<xsl:source-document href="{uri}/secret.xml"><xsl:value-of select="."/></xsl:source-document>',
    "unparsed-text": SAID.format("unparsed-text('{uri}/secret.txt')"),
    "unparsed-text-lines": SAID.format("unparsed-text-lines('{uri}/secret.txt')"),
    "collection": SAID.format("collection('{uri}?select=*.xml')"),
    "uri-collection": SAID.format("if (exists(uri-collection('{uri}'))) then '" + SECRET + "' else ''"),
    "json-doc": SAID.format("json-doc('{uri}/secret.json')?a"),
    "parse-xml": SAID.format(f"parse-xml('{ENTITY}')"),
    "evaluate": "<xsl:evaluate xpath=\"'string(doc(&quot;{uri}/secret.xml&quot;))'\"/>",
    "transform": SAID.format(
        "transform(map{{'stylesheet-location': '{uri}/secret.xsl', 'initial-template': xs:QName('x')}})?output"
    ),
    "environment": SAID.format("environment-variable('SECRET')"),
}
TOP = {  # what a stylesheet asks for when it is compiled
    "include": '<xsl:include href="{uri}/secret.xsl"/>',
    "import": '<xsl:import href="{uri}/secret.xsl"/>',
    "entity": "",
}

SERVER = """import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
peer, _ = server.accept()
print("called", flush=True)
"""  # a process, since Saxon does not let go of Python's lock


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for rules, beside files that they must not see."""
    monkeypatch.setenv("SECRET", SECRET)
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "secret.xml").write_text(f"<secret>{SECRET}</secret>")
    (tmp_path / "other.xml").write_text("<a/>")
    (tmp_path / "secret.json").write_text(f'{{"a": "{SECRET}"}}')
    (tmp_path / "secret.xsl").write_text(
        '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="3.0">'
        f'<xsl:template name="x">{SECRET}</xsl:template></xsl:stylesheet>'
    )
    folder = tmp_path / "rules"
    folder.mkdir()
    return folder


def said(sheet: str, folder: Path, document: bytes = b"<a/>") -> str:
    """All that a stylesheet of `folder` finds out, or the error that stops it."""
    from saxonche import PySaxonApiError

    path = folder / f"rules-{len(list(folder.iterdir()))}.xsl"  # compiled sheets are kept by their paths
    path.write_text(sheet)
    try:
        return repr(checking._broken(path, document))
    except (PySaxonApiError, etree.XMLSyntaxError) as error:
        return f"refused: {error}"


@pytest.mark.parametrize("asked", INSIDE)
def test_a_stylesheet_reads_nothing_while_it_runs(rules: Path, asked: str) -> None:
    found = said(SHEET.format(top="", inside=INSIDE[asked].format(uri=rules.parent.as_uri())), rules)
    assert SECRET not in found
    assert found.startswith("refused: ") or asked in ("doc-available", "environment")


@pytest.mark.parametrize("asked", TOP)
def test_a_stylesheet_takes_nothing_in_when_it_is_compiled(rules: Path, asked: str) -> None:
    uri = rules.parent.as_uri()
    inside = '<xsl:call-template name="x"/>' if TOP[asked] else "&e;"
    sheet = SHEET.format(top=TOP[asked].format(uri=uri), inside=inside)
    declared = f'<!DOCTYPE r [<!ENTITY e SYSTEM "{uri}/secret.txt">]>' if asked == "entity" else ""
    found = said(declared + sheet, rules)
    assert found.startswith("refused: ")
    assert SECRET not in found


def test_a_stylesheet_writes_no_file(rules: Path) -> None:
    there = rules / "written.xml"
    inside = f'<xsl:result-document href="{there.as_uri()}"><a/></xsl:result-document>'
    assert said(SHEET.format(top="", inside=inside), rules).startswith("refused: ")
    assert not there.exists()


def test_a_stylesheet_reaches_no_network(rules: Path) -> None:
    with subprocess.Popen([sys.executable, "-ISc", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        inside = SAID.format(f"doc('http://127.0.0.1:{server.stdout.readline().strip()}/a.xml')")
        found = said(SHEET.format(top="", inside=inside), rules)
        server.kill()
        callers = server.stdout.read()
    assert (found[:9], callers) == ("refused: ", "")


def test_only_the_lists_beside_it_are_given_to_a_stylesheet(rules: Path) -> None:
    (rules / "codes.xml").write_text("<codes><code value='A'/></codes>")
    (rules / "linked.xml").symlink_to(rules.parent / "secret.xml")
    for name, refused in (("codes.xml", False), ("linked.xml", True), ("missing.xml", True)):
        found = said(SHEET.format(top="", inside=SAID.format(f"document('{name}')//@value")), rules)
        assert found.startswith("refused: ") is refused
        assert SECRET not in found
        assert refused or found == "[('said', 'A')]"


@pytest.mark.parametrize("place", ["entity", "subset"])
def test_a_document_reads_nothing(rules: Path, place: str) -> None:
    """Our writers make no DOCTYPE; one that came in all the same is refused."""
    uri = rules.parent.as_uri()
    (rules.parent / "secret.dtd").write_text(f'<!ENTITY e "{SECRET}">')
    declared = {
        "entity": f'<!DOCTYPE a [<!ENTITY e SYSTEM "{uri}/secret.txt">]>',
        "subset": f'<!DOCTYPE a SYSTEM "{uri}/secret.dtd">',
    }[place]
    sheet = SHEET.format(top="", inside=SAID.format("/"))
    assert said(sheet, rules, b"<a>seen</a>") == "[('said', 'seen')]"
    found = said(sheet, rules, f"{declared}<a>&e;</a>".encode())
    assert found.startswith("refused: ")
    assert SECRET not in found
