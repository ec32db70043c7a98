"""Builds the hostile lists of `lists.toml`, each by the function of its name."""

from __future__ import annotations

import io
import random
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
GOOD = '<row r="1"><c r="A1"><v>1001</v></c><c r="B1" t="str"><v>a@customer.example</v></c></row>'

Parts = dict[str, bytes]


def relations(*targets: tuple[str, str]) -> bytes:
    lines = (
        f'<Relationship Id="r{number}" Type="{DOCUMENT}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{"".join(lines)}</Relationships>'.encode()


def parts(sheet: str | bytes, kind: str = "worksheet") -> Parts:
    """The parts of a workbook whose sheet has this XML."""
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><sheets><sheet name="S" r:id="r1"/></sheets></workbook>'
    beside = [(kind, "sheet.xml"), ("sharedStrings", "strings.xml"), ("styles", "styles.xml")]
    return {
        "[Content_Types].xml": b"<Types/>",
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": book.encode(),
        "xl/_rels/workbook.xml.rels": relations(*beside),
        "xl/sheet.xml": sheet if isinstance(sheet, bytes) else sheet.encode(),
        "xl/strings.xml": f'<sst xmlns="{MAIN}"><si><t>x</t></si></sst>'.encode(),
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"/>'.encode(),
    }


def packed(content: Parts, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in content.items():
            file.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def sheet(rows: str, after: str = "", before: str = "") -> str:
    return f'{before}<worksheet xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><sheetData>{rows}</sheetData>{after}</worksheet>'


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


# --- zips ------------------------------------------------------------------------------------------------


def zip_one_part_that_is_a_bomb() -> bytes:
    return packed(parts(sheet(GOOD) + " " * (30 << 20)))


def zip_parts_that_share_their_bytes() -> bytes:
    """One run of bytes, which 900 records of the directory call theirs."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", bytes(1 << 20))
        (info,) = file.infolist()
        for number in range(900):
            twin = zipfile.ZipInfo(f"part{number}")
            for name in ("compress_type", "CRC", "compress_size", "file_size", "header_offset"):
                setattr(twin, name, getattr(info, name))
            file.filelist.append(twin)
            file.NameToInfo[twin.filename] = twin
    return out.getvalue()


def zip_5000_parts() -> bytes:
    return packed({**parts(sheet(GOOD)), **{f"xl/{n}": b"" for n in range(5000)}})


def renamed(old: bytes, new: bytes) -> bytes:
    return packed({**parts(sheet(GOOD)), old.decode(): b"x"}).replace(old, new)


def zip_two_parts_of_one_name() -> bytes:
    return renamed(b"xl/sheeu.xml", b"xl/sheet.xml")


def zip_two_parts_whose_names_differ_in_case() -> bytes:
    return packed({**parts(sheet(GOOD)), "XL/Sheet.xml": b"x"})


def zip_part_of_an_absolute_name() -> bytes:
    return packed({**parts(sheet(GOOD)), "/etc/passwd": b"x"})


def zip_part_above_itself() -> bytes:
    return packed({**parts(sheet(GOOD)), "xl/../../x": b"x"})


def zip_part_that_is_encrypted() -> bytes:
    data = bytearray(packed(parts(sheet(GOOD))))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def zip_packed_by_bzip2() -> bytes:
    return packed(parts(sheet(GOOD)), zipfile.ZIP_BZIP2)


def zip_that_lies_about_a_size() -> bytes:
    data = bytearray(packed(parts(sheet(GOOD * 1) + " " * 100_000)))
    record = data.index(b"xl/sheet.xml", data.index(b"PK\x01\x02")) - 46
    data[record + 24 : record + 28] = (300).to_bytes(4, "little")
    return bytes(data)


def zip_cut_off() -> bytes:
    return packed(parts(sheet(GOOD)))[:-200]


def zip_of_garbage() -> bytes:
    return b"PK\x03\x04" + noise(10_000)


# --- files that are no list ------------------------------------------------------------------------------


def nothing() -> bytes:
    return b""


def file_of_21_mebibytes() -> bytes:
    return b"1;a@b.example\n" * (21 << 20 >> 3)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def old_xls() -> bytes:
    return OLE + bytes(1000) + "Workbook".encode("utf-16-le")


def encrypted_xlsx() -> bytes:
    return OLE + bytes(1000) + "EncryptedPackage".encode("utf-16-le")


def xlsb() -> bytes:
    return packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"x"})


def ods() -> bytes:
    return packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"})


def docx() -> bytes:
    content = {"[Content_Types].xml": b"<Types/>", "_rels/.rels": relations(("other", "word/document.xml"))}
    return packed({**content, "word/document.xml": b"<x/>"})


def web_page() -> bytes:
    return b"\xef\xbb\xbf\r\n<HTML><table><tr><td>1001</td></tr></table>"


def spreadsheet_xml() -> bytes:
    return b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'


def pdf() -> bytes:
    return b"%PDF-1.7\n"


def binary() -> bytes:
    return b"\x7fELF\0\0" + noise(100)


# --- sheets without measure ------------------------------------------------------------------------------


def sheet_with_one_cell_at_the_far_corner() -> bytes:
    return packed(parts(sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')))


def sheet_with_a_lying_dimension() -> bytes:
    return packed(parts(sheet(GOOD).replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')))


def sheet_with_51_columns() -> bytes:
    return packed(parts(sheet('<row r="1">' + "<c><v>1</v></c>" * 51 + "</row>")))


def sheet_with_row_1048577() -> bytes:
    return packed(parts(sheet('<row r="1048577"><c><v>1</v></c></row>')))


def sheet_with_rows_out_of_order() -> bytes:
    return packed(parts(sheet(GOOD + '<row r="1"/>')))


def sheet_with_a_row_of_200000_elements() -> bytes:
    words = noise(200_000 * 16).hex()
    row = "".join(f'<x a="{words[at : at + 32]}"/>' for at in range(0, len(words), 32))
    return packed(parts(sheet(f"<row>{row}</row>")))


def sheet_with_100000_levels() -> bytes:
    return packed(parts(sheet("<row>" + "<c>" * 100_000)))


def sheet_with_a_doctype() -> bytes:
    return packed(parts(sheet(GOOD, before="<!DOCTYPE worksheet>")))


def sheet_with_an_entity_bomb() -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    before = f'<!DOCTYPE worksheet [<!ENTITY e0 "boom">{entities}]>'
    return packed(parts(sheet(GOOD + "<row><c><v>&e11;</v></c></row>", before=before)))


def sheet_with_an_external_entity() -> bytes:
    before = '<!DOCTYPE worksheet [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return packed(parts(sheet(GOOD.replace("1001", "&e;"), before=before)))


def sheet_that_is_no_xml() -> bytes:
    return packed(parts(noise(1000)))


def sheet_cut_off() -> bytes:
    return packed(parts(sheet(GOOD)[:-30]))


def sheet_that_is_missing() -> bytes:
    content = parts(sheet(GOOD))
    del content["xl/sheet.xml"]
    return packed(content)


def sheet_that_is_a_chart() -> bytes:
    return packed(parts(sheet(GOOD), kind="chartsheet"))


def strings_with_a_doctype() -> bytes:
    strings = f'<!DOCTYPE sst><sst xmlns="{MAIN}"><si><t>x</t></si></sst>'
    return packed({**parts(sheet(GOOD)), "xl/strings.xml": strings.encode()})


def string_that_is_not_there() -> bytes:
    return packed(parts(sheet('<row><c t="s"><v>1</v></c></row>')))


def string_of_a_negative_number() -> bytes:
    return packed(parts(sheet('<row><c t="s"><v>-1</v></c></row>')))


def string_of_12_megabytes() -> bytes:
    strings = f'<sst xmlns="{MAIN}"><si><t>{noise(6 << 20).hex()}</t></si></sst>'
    return packed({**parts(sheet(GOOD)), "xl/strings.xml": strings.encode()})


def styles_without_number() -> bytes:
    formats = "".join(f'<xf numFmtId="{n}"/>' for n in range(70_000))
    styles = f'<styleSheet xmlns="{MAIN}"><cellXfs>{formats}</cellXfs></styleSheet>'
    return packed({**parts(sheet(GOOD)), "xl/styles.xml": styles.encode()})


def styles_of_one_endless_code() -> bytes:
    code = noise(1 << 20).hex().translate(str.maketrans("abcdef", "#?,.0%"))
    formats = '<xf numFmtId="164"/>' * 65_000
    numbers = f'<numFmts><numFmt numFmtId="164" formatCode="{code}"/></numFmts>'
    styles = f'<styleSheet xmlns="{MAIN}">{numbers}<cellXfs>{formats}</cellXfs></styleSheet>'
    return packed({**parts(sheet(GOOD)), "xl/styles.xml": styles.encode()})


def cell_that_is_none() -> bytes:
    return packed(parts(sheet('<row><c r="ABCDE1"><v>1</v></c></row>')))


def cell_of_another_row() -> bytes:
    return packed(parts(sheet(GOOD + '<row r="2"><c r="A3"><v>1002</v></c></row>')))


def cell_that_is_there_twice() -> bytes:
    return packed(parts(sheet('<row r="1"><c r="A1"><v>1001</v></c><c r="A1"><v>1002</v></c></row>')))


def cell_of_40000_letters() -> bytes:
    return packed(parts(sheet(f'<row><c><v>1</v></c><c t="str"><v>{"a;" * 20_000}</v></c></row>')))


def links_without_number() -> bytes:
    links = '<hyperlink ref="A1:XFD1048576" r:id="r1"/>' * 20_000
    content = parts(sheet(GOOD, f"<hyperlinks>{links}</hyperlinks>"))
    return packed({**content, "xl/_rels/sheet.xml.rels": relations(("hyperlink", "https://evil.example"))})


def macros_and_links_to_other_files() -> bytes:
    content = parts(sheet(GOOD))
    content["xl/vbaProject.bin"] = noise(1000)
    content["xl/externalLinks/externalLink1.xml"] = b"<externalLink/>"
    content["xl/_rels/workbook.xml.rels"] = content["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        f'<Relationship Id="v" Type="{DOCUMENT}/externalLink" Target="file:///etc/passwd" TargetMode="External"/>'
        "</Relationships>".encode(),
    )
    return packed(content)


# --- .csv ------------------------------------------------------------------------------------------------


def csv_line_of_10_megabytes() -> bytes:
    return b"1;" + b"a" * (10 << 20)


def csv_quote_that_never_ends() -> bytes:
    return b'1;"a@customer.example\n' + b"2;b@customer.example\n" * 100_000


def csv_of_1000000_separators() -> bytes:
    return b";" * 1_000_000


def csv_of_1000000_separators_and_a_value() -> bytes:
    return b"1" + b";" * 1_000_000 + b"x"


def csv_in_no_known_encoding() -> bytes:
    return b"1;\x81@customer.example\xff"


def csv_utf16_cut_in_a_character() -> bytes:
    return "1;a@b.example".encode("utf-16")[:-1]


def build(name: str) -> bytes:
    """The bytes of the case `name`."""
    made = globals()[name.replace("-", "_")]()
    assert isinstance(made, bytes)
    return made
