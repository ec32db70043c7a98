"""Write the lists of the `excel-*` cases: python tests/golden/make_lists.py [NAME…]

Those whose function is marked `by_libreoffice` are written by LibreOffice, where `soffice` is found; they are left as
they are elsewhere.
"""

from __future__ import annotations

import datetime as dt
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HERE = Path(__file__).parent
HEAD = ["customer_number", "email"]


def book(*rows: Sequence[Any], name: str = "Sheet1") -> Workbook:
    """A workbook with these rows; a value (value, number format) is formatted so."""
    made = Workbook()
    sheet = made.active
    sheet.title = name
    for line, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            put(sheet, line, column, value)
    return made


def put(sheet: Any, line: int, column: int, value: Any) -> None:
    cell = sheet.cell(line, column)
    if isinstance(value, tuple):
        cell.value, cell.number_format = value
    else:
        cell.value = value


def saved(made: Workbook) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def xlsx(*rows: Sequence[Any], name: str = "Sheet1") -> bytes:
    return saved(book(*rows, name=name))


TRANSITIONAL = "http://schemas.openxmlformats.org/"
STRICT = "http://purl.oclc.org/ooxml/"


def raw(sheet: str, strings: str = "", links: str = "", base: str = TRANSITIONAL, styles: str = "") -> bytes:
    """A workbook around the XML of its one sheet, as no library would write it."""
    main = base + "spreadsheetml/main" if base == STRICT else base + "spreadsheetml/2006/main"
    document = base + "officeDocument/relationships" if base == STRICT else base + "officeDocument/2006/relationships"
    package = TRANSITIONAL + "package/2006/relationships"

    def relation(id_: str, kind: str, target: str) -> str:
        return f'<Relationship Id="{id_}" Type="{document}/{kind}" Target="{target}"/>'

    parts = {
        "[Content_Types].xml": f'<Types xmlns="{TRANSITIONAL}package/2006/content-types"/>',
        "_rels/.rels": (
            f'<Relationships xmlns="{package}">{relation("r1", "officeDocument", "/xl/workbook.xml")}</Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{main}" xmlns:r="{document}"><sheets><sheet name="List" sheetId="1" r:id="s1"/></sheets>'
            "</workbook>"
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{package}">{relation("s1", "worksheet", "worksheets/sheet1.xml")}'
            f"{relation('s2', 'sharedStrings', 'sharedStrings.xml') if strings else ''}"
            f"{relation('s3', 'styles', 'styles.xml') if styles else ''}</Relationships>"
        ),
        "xl/worksheets/sheet1.xml": sheet.replace("MAIN", main).replace("DOCUMENT", document),
    }
    if strings:
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{main}">{strings}</sst>'
    if styles:
        parts["xl/styles.xml"] = f'<styleSheet xmlns="{main}">{styles}</styleSheet>'
    if links:
        parts["xl/worksheets/_rels/sheet1.xml.rels"] = f'<Relationships xmlns="{package}">{links}</Relationships>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(zipfile.ZipInfo(name), '<?xml version="1.0" encoding="UTF-8"?>\n' + content)
    return out.getvalue()


# --- by openpyxl -----------------------------------------------------------------------------------------


def every_column() -> bytes:
    return xlsx(
        ["customer_number", "email", "cc", "name", "format", "language", "valid_from"],
        ["0001001", "invoices@customer.example", "a@b.example; c@d.example", "Customer AB", "pdf", "en", "2026-01-01"],
        ["1002", "ap@company.example", None, None, None, None, None],
    )


def what_and_how() -> bytes:
    return xlsx(
        ["Kundnummer", "E-post", "Bilagor", "Filnamn", "Konstanter"],
        ["1", "a@customer.example", "With-PDF", "{{ type }}-{{ number }}", "BT-49=0204:991-1\nbt-10=L-1"],
        ["2", "b@customer.example", "both", "{{ nummer }}", "BT-1=5"],
        ["3", "c@customer.example", None, None, None],
    )


def french() -> bytes:
    return xlsx(
        ["Langue", "Adresse e-mail *", "Copie à", "N° de client *", "Raison sociale"],
        ["FR", "compta@société.example", "direction@societe.example", "C-1", "Société Générale d'Essais"],
        name="Liste",
    )


def german() -> bytes:
    return xlsx(
        ["Kunden-Nr.", "E-Mail-Adresse", "Kopie an", "Firma", "Sprache", "Gültig ab"],
        ["0815", "rechnung@müller.example", None, "Müller & Söhne", "de", "2026-03-02"],
    )


def swedish() -> bytes:
    return xlsx(
        ["KUNDNUMMER", "E-postadress", "Kopia", "Företag", "Språk"], ["7", "faktura@åkeri.example", None, "Åkeri", "sv"]
    )


def by_position() -> bytes:
    return xlsx(["1001", "a@customer.example"], ["1002", "b@customer.example"])


def column_c() -> bytes:
    return xlsx(
        ["1001", "a@customer.example", "old"], ["1002", "b@customer.example"], ["1003", "c@customer.example", "x"]
    )


def comments() -> bytes:
    return xlsx(
        ["# A list of customers"],
        [],
        ["#customer_number", "email"],
        ["# 1001", "example@customer.example"],
        [None, " # also a comment", "with data"],
        [],
        ["1002", "b@customer.example"],
        ["  ", "\u00a0"],
        ["1003", "#c@customer.example"],
    )


def zeros() -> bytes:
    return xlsx(
        HEAD,
        [(123, "0000000"), "a@customer.example"],
        [(1234567890, "0000000"), "b@customer.example"],
        [(7, "000;-000"), "c@customer.example"],
        [(1001, "General"), "d@customer.example"],
        [(1002.0, "#,##0"), "e@customer.example"],
        [(1003, "0.00"), "f@customer.example"],
        ["0077", "g@customer.example"],
        [("0008", "@"), "h@customer.example"],
        [(123456789012345, "0"), "i@customer.example"],
    )


def zeros_and_letters() -> bytes:
    return xlsx(
        HEAD,
        [(12345, "000-000"), "a@customer.example"],
        [(12345, '"K"00000'), "b@customer.example"],
        [(12345, "000\\-000"), "c@customer.example"],
        [(12345, "[Blue]0000000_)"), "d@customer.example"],
        [(12346, '#,##0 "kr"'), "e@customer.example"],
        [(12347, "_-* #,##0_-"), "f@customer.example"],
        [(-5, "0000"), "g@customer.example"],
        [(12348, "0E+00"), "h@customer.example"],
    )


def lost() -> bytes:
    return xlsx(
        HEAD,
        [1234567890123456, "a@customer.example"],
        [1.5, "b@customer.example"],
        ["1.23457E+11", "c@customer.example"],
        ["1,23E+05", "d@customer.example"],
        [dt.date(2026, 3, 1), "e@customer.example"],
        [dt.time(9, 30), "f@customer.example"],
        [True, "g@customer.example"],
        [(46082, "dd\\-mmm"), "h@customer.example"],
        [(46082, '[$-409]0" d"'), "i@customer.example"],
        [1e300, "j@customer.example"],
        ["K1E+5", "k@customer.example"],
    )


def formulas_of_a_library() -> bytes:
    return xlsx(
        HEAD,
        ['="00"&"17"', "a@customer.example"],
        ["1001", '=HYPERLINK("mailto:b@customer.example","b@customer.example")'],
        ["=cmd|' /C calc'!A0", "c@customer.example"],
    )


def duplicates() -> bytes:
    return xlsx(
        [*HEAD, "cc"],
        ["1001", "a@customer.example", None],
        ["1001", "A@CUSTOMER.example", None],
        ["1002", "b@customer.example", None],
        [" 1002 ", "b@Customer.Example", None],
        ["1003", "c@customer.example", None],
        ["1003", "c@customer.example", "x@customer.example"],
        ["1003", "d@customer.example", None],
        ["01003", "e@customer.example", None],
    )


def addresses() -> bytes:
    return xlsx(
        [*HEAD, "cc"],
        ["1", "a@customer.example,b@customer.example;c@customer.example", None],
        ["2", "a@customer.example\nb@customer.example", None],
        ["3", "köp@customer.example", None],
        ["4", "a@köpare.example", "a@xn--kpare-jua.example; kopia@kopare.example"],
        ["5", "a@customer", None],
        ["6", "customer.example", None],
        ["7", "a@b@customer.example", None],
        ["8", "a" * 65 + "@customer.example", None],
        ["9", "a\u202eb@customer.example", None],
        ["10", "Anna <anna@customer.example>", None],
        ["11", "a@customer.example", "not an address"],
        ["12", None, "copy@customer.example"],
        ["13", "a..b@customer.example", None],
        [None, "a@customer.example", None],
        ["14", 15, None],
        ["15", ";".join(f"a{n}@customer.example" for n in range(51)), None],
    )


def texts() -> bytes:
    made = book(
        [*HEAD, "name"],
        ["\u00a0\ufeff1001\u200b", "\u200ba@customer.example\u00a0", "Ko\u0308pare"],
        ["10_x0030_2", "b@customer.example", "tab_x0009_in it"],
        ["1\u202f003", "c@customer.example", "日本商事"],
        ["=1+1", "d@customer.example", "@SUM(A1)"],
        ["+46 8", "=e@customer.example", "-1"],
    )
    sheet = made.active
    for cell in (*sheet["A5:C5"][0], *sheet["A6:C6"][0]):
        cell.data_type = "s"
    sheet["C5"] = CellRichText("Rich ", TextBlock(InlineFont(b=True), "bold"), " text")
    return saved(made)


def several_sheets() -> bytes:
    made = book([*HEAD], ["1001", "a@customer.example"], name="Kunden")
    made.create_sheet("Notes")["A1"] = "nothing"
    return saved(made)


def named_sheet() -> bytes:
    made = book(["Notes about the list"], name="Notes")
    put(made.create_sheet("Empfänger"), 1, 1, "1001")
    put(made["Empfänger"], 1, 2, "a@customer.example")
    hidden = made.create_sheet("Recipients")
    put(hidden, 1, 1, "9999")
    hidden.sheet_state = "veryHidden"
    return saved(made)


def headings_at_fault() -> bytes:
    return xlsx(
        ["Name", "E-mail", "email", "Colour"],
        ["A", "a@customer.example", "b@customer.example", "red"],
        ["B", "no address"],
    )


def valid_from() -> bytes:
    return xlsx(
        [*HEAD, "valid_from"],
        ["1001", "a@customer.example", dt.date(2026, 3, 2)],
        ["1002", "b@customer.example", dt.date(2026, 3, 3)],
        ["1003", "c@customer.example", "2027-01-01"],
        ["1004", "d@customer.example", "soon"],
        ["1005", "e@customer.example", None],
    )


def since_1904() -> bytes:
    made = book(
        [*HEAD, "valid_from"],
        ["1001", "a@customer.example", dt.date(2026, 3, 2)],
        ["1002", "b@customer.example", dt.date(2026, 3, 3)],
        [dt.date(2026, 1, 1), "c@customer.example", None],
    )
    made.epoch = CALENDAR_MAC_1904
    return saved(made)


def earlier_report() -> bytes:
    return xlsx(
        [*HEAD, "Error"], ["1001", "a@customer.example", "B2: it was wrong"], ["1002", "b@customer.example", None]
    )


def earlier_report_by_position() -> bytes:
    return xlsx(["1001", "a@customer.example", "# B1: it was wrong"], ["1002", "b@customer.example"])


def everything_wrong() -> bytes:
    return xlsx(
        ["customer_number", "email", "cc", "name", "format", "language"],
        [1.5, "x", "y", "a\u202eb", "docx", "english"],
        ["1002", "ok@customer.example", None, None, "pdff", None],
    )


def comments_rejected() -> bytes:
    return xlsx(HEAD, ["# example", "a@customer.example"], ["1001", "a@customer.example"])


def column_ignored() -> bytes:
    return xlsx([*HEAD, "Salesman"], ["1001", "a@customer.example", "Bo"])


def only_comments() -> bytes:
    return xlsx(["# nothing", "but"], ["# comments"])


# --- raw XML ---------------------------------------------------------------------------------------------


def formulas_of_excel() -> bytes:
    link = '<c r="{0}" t="str"><f>HYPERLINK("mailto:{1}","x")</f><v>{2}</v></c>'
    rows = (
        '<row r="1"><c r="A1" t="str"><f>"0"&amp;B9</f><v>0017</v></c>'
        + link.format("B1", "a@customer.example", "a@customer.example")
        + '</row><row r="2"><c r="A2"><f>1000+1</f><v>1001</v></c>'
        + link.format("B2", "evil@elsewhere.example", "b@customer.example")
        + '</row><row r="3"><c r="A3" t="e"><f>VLOOKUP(1,Z:Z,1)</f><v>#N/A</v></c>'
        '<c r="B3" t="str"><f>A9</f><v></v></c></row>'
        '<row r="4"><c r="A4"><f>A3</f></c><c r="B4" t="str"><v>d@customer.example</v></c></row>'
    )
    return raw(f'<worksheet xmlns="MAIN"><sheetData>{rows}</sheetData></worksheet>')


def links() -> bytes:
    text = '<c r="{0}" t="inlineStr"><is><t>{1}</t></is></c>'
    rows = "".join(
        f'<row r="{number}">{text.format(f"A{number}", f"100{number}")}{text.format(f"B{number}", shown)}</row>'
        for number, shown in enumerate(
            (
                "a@customer.example",
                "b@customer.example",
                "c@customer.example",
                "d@customer.example",
                "e@customer.example",
            ),
            1,
        )
    )
    targets = (
        "mailto:A@customer.example?subject=x",
        "mailto:b@cust0mer.example",
        "https://evil.example/x",
        "mailto:d%40customer.example",
    )
    kind = TRANSITIONAL + "officeDocument/2006/relationships/hyperlink"
    relations = "".join(
        f'<Relationship Id="h{number}" Type="{kind}" Target="{target}" TargetMode="External"/>'
        for number, target in enumerate(targets, 1)
    )
    areas = '<hyperlink ref="B1" r:id="h1"/><hyperlink ref="B2" r:id="h2"/><hyperlink ref="$B$3:$B$3" r:id="h3"/>'
    areas += '<hyperlink ref="A4:B5" r:id="h4"/><hyperlink ref="A1" r:id="h3"/><hyperlink ref="nonsense" r:id="h3"/>'
    sheet = f"<sheetData>{rows}</sheetData><hyperlinks>{areas}</hyperlinks>"
    return raw(f'<worksheet xmlns="MAIN" xmlns:r="DOCUMENT">{sheet}</worksheet>', links=relations)


def strict() -> bytes:
    strings = (
        "<si><t>1001</t></si><si><r><t>a@cust</t></r><r><t>omer.example</t></r><rPh sb='0' eb='1'><t>no</t></rPh></si>"
    )
    rows = '<x:row><x:c t="s"><x:v>0</x:v></x:c><x:c t="s"><x:v>1</x:v></x:c></x:row><x:row/>'
    rows += (
        '<x:row><x:c><x:v>1002</x:v></x:c><x:c t="inlineStr"><x:is><x:t>b@customer.example</x:t></x:is></x:c></x:row>'
    )
    rows += (
        '<x:row><x:c t="d"><x:v>2026-03-02</x:v></x:c><x:c r="B4" t="str"><x:v>c@customer.example</x:v></x:c></x:row>'
    )
    return raw(
        f'<x:worksheet xmlns:x="MAIN"><x:sheetData>{rows}</x:sheetData></x:worksheet>', strings=strings, base=STRICT
    )


# --- .csv ------------------------------------------------------------------------------------------------


def csv_mark() -> bytes:
    return "customer_number;email;cc\r\n0001001;a@köpare.example;b@customer.example,c@customer.example\r\n".encode(
        "utf-8-sig"
    )


def csv_1252() -> bytes:
    return "N° client\tE-mail\tNom\r\n0012\ta@customer.example\tÉtablissements “Léon” €\r\n".encode("cp1252")


def csv_comma() -> bytes:
    lines = [
        '1001,"a@customer.example;b@customer.example"',
        "1002,c@customer.example;d@customer.example",
        "# 1003,x",
        "",
    ]
    return "\n".join([*lines, '1004,"e@customer.example"', ""]).encode()


def csv_excel() -> bytes:
    lines = [
        "sep=|",
        "number|email",
        "1.23E+11|a@customer.example",
        "'=1001|'-b@customer.example",
        "1E5|c@customer.example",
    ]
    return "\r\n".join([*lines, ""]).encode()


def csv_utf16() -> bytes:
    return "Kundnummer\tE-post\n0001\ta@åkeri.example\n".encode("utf-16")


# --- by LibreOffice --------------------------------------------------------------------------------------


def libreoffice() -> bytes:
    made = book(
        ["Kundnummer*", "E-post*", "Namn"],
        ['=TEXT(17,"0000000")', "a@customer.example", "Formula"],
        [(123, "0000000"), "b@customer.example", "Zeros"],
        [("0042", "@"), '=HYPERLINK("mailto:evil@elsewhere.example","c@customer.example")', "Link"],
        [dt.date(2026, 3, 1), "d@customer.example", "Date"],
        [1234567890123456, "e@customer.example", "Digits"],
        ["# 1005", "f@customer.example", "Comment"],
        ["=1/0", "g@customer.example", "Error"],
        [True, "h@customer.example", "Truth"],
    )
    sheet = made.active
    sheet["B3"].hyperlink = "mailto:b@cust0mer.example"
    sheet["A1"].font = Font(bold=True)
    return by_soffice(saved(made), "xlsx")


def libreoffice_template() -> bytes:
    """Our own example, opened and saved again, with two rows filled in."""
    from openpyxl import load_workbook

    from gateway.workbook import writing

    made = load_workbook(io.BytesIO(writing.template("fr", "invoice")))
    sheet = made.active
    line = sheet.max_row + 1
    for row in (
        ["0000123", "a@client.example"],
        ["C-2", "b@client.example", "c@client.example", "Société", "pdf", "fr"],
    ):
        for column, value in enumerate(row, 1):
            sheet.cell(line, column, value)
        line += 1
    return by_soffice(saved(made), "xlsx")


def libreoffice_csv() -> bytes:
    return by_soffice(every_column(), "csv")


def libreoffice_export() -> bytes:
    from gateway.workbook import writing

    rows = [
        {"number": "0001001", "email": ["a@customer.example", "b@customer.example"], "name": "=1+1"},
        {"number": "=1+1", "email": ["+b@customer.example"], "cc": ["-c@customer.example"], "name": "@SUM(A1)"},
        {"number": "-1", "email": ["=d@customer.example"], "name": "日本 ÅÄÖ _x0041_", "attach": "with-pdf"},
        {"number": "12345678901234567890", "email": ["e@customer.example"], "constants": ["BT-10=04011000-12345-34"]},
    ]
    return by_soffice(writing.export(rows, "sv"), "xlsx")


def by_soffice(content: bytes, target: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.xlsx")
        source.write_bytes(content)
        out = Path(folder, "out")
        home = f"-env:UserInstallation=file://{folder}/home"
        command = ["soffice", home, "--headless", "--convert-to", target, "--outdir", str(out), str(source)]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
        return (out / f"source.{target}").read_bytes()


BY_LIBREOFFICE = {"libreoffice", "libreoffice-template", "libreoffice-csv", "libreoffice-export"}
CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "01-every-column": (every_column, "xlsx"),
    "02-french": (french, "xlsx"),
    "03-german": (german, "xlsx"),
    "04-swedish": (swedish, "xlsx"),
    "05-by-position": (by_position, "xlsx"),
    "06-column-c": (column_c, "xlsx"),
    "07-comments": (comments, "xlsx"),
    "08-zeros": (zeros, "xlsx"),
    "09-lost": (lost, "xlsx"),
    "10-formulas-of-a-library": (formulas_of_a_library, "xlsx"),
    "11-formulas-of-excel": (formulas_of_excel, "xlsx"),
    "12-links": (links, "xlsx"),
    "13-duplicates": (duplicates, "xlsx"),
    "14-addresses": (addresses, "xlsx"),
    "15-texts": (texts, "xlsx"),
    "16-several-sheets": (several_sheets, "xlsx"),
    "17-named-sheet": (named_sheet, "xlsx"),
    "18-headings-at-fault": (headings_at_fault, "xlsx"),
    "19-valid-from": (valid_from, "xlsx"),
    "20-earlier-report": (earlier_report, "xlsx"),
    "21-earlier-report-by-position": (earlier_report_by_position, "xlsx"),
    "22-everything-wrong": (everything_wrong, "xlsx"),
    "23-comments-rejected": (comments_rejected, "xlsx"),
    "24-column-ignored": (column_ignored, "xlsx"),
    "25-only-comments": (only_comments, "xlsx"),
    "26-strict": (strict, "xlsx"),
    "27-what-and-how": (what_and_how, "xlsx"),
    "29-zeros-and-letters": (zeros_and_letters, "xlsx"),
    "28-since-1904": (since_1904, "xlsx"),
    "30-csv-mark": (csv_mark, "csv"),
    "31-csv-1252": (csv_1252, "csv"),
    "32-csv-comma": (csv_comma, "csv"),
    "33-csv-excel": (csv_excel, "csv"),
    "34-csv-utf16": (csv_utf16, "csv"),
    "40-libreoffice": (libreoffice, "xlsx"),
    "41-libreoffice-template": (libreoffice_template, "xlsx"),
    "42-libreoffice-csv": (libreoffice_csv, "csv"),
    "43-libreoffice-export": (libreoffice_export, "xlsx"),
}


def main(names: list[str]) -> None:
    for name, (make, kind) in CASES.items():
        if names and not any(wanted in name for wanted in names):
            continue
        if name[3:] in BY_LIBREOFFICE and shutil.which("soffice") is None:
            print(f"{name}: LibreOffice is not here")
            continue
        folder = HERE / f"excel-{name}"
        folder.mkdir(exist_ok=True)
        (folder / f"list.{kind}").write_bytes(make())


if __name__ == "__main__":
    main(sys.argv[1:])
