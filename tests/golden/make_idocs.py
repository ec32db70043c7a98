"""Write the flat IDocs of the golden cases: python tests/golden/make_idocs.py

The columns are counted from the start of the record, as SAP's own description of a segment counts them (BYTE_FIRST less
one), and not from the table that the reader has.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
_LENGTH = 1063  # characters of a data record
_CONTROL = 524  # of a control record


def record(name: str, columns: dict[int, str], number: int = 1, level: int = 2, length: int = _LENGTH) -> str:
    """A record of `length` characters: SEGNAM, MANDT, DOCNUM, SEGNUM, PSGNUM, HLEVEL, and texts at their columns."""
    head = f"{name:<30}8000000000000815001{number:06}{0:06}{level:02}" if length == _LENGTH else f"{name:<10}800"
    text = list(head.ljust(length))
    for start, value in columns.items():
        text[start : start + len(value)] = value
    return "".join(text)


def control(kind: str = "INVOIC", basic: str = "INVOIC02") -> str:
    """A control record EDI_DC40."""
    return record("EDI_DC40", {13: "0000000000815001", 39: basic, 99: kind, 148: "SAPPRD"}, length=_CONTROL)


def partner(role: str, number: str, name: str, city: str, code: str, name2: str = "") -> str:
    """E1EDKA1 as its newest definition has it."""
    columns = {63: role, 66: number, 100: name, 135: name2, 240: "Hafenstr. 3", 345: city, 389: code, 407: "DE"}
    return record("E2EDKA1003", columns | {505: "0431 55501", 776: "Einkauf", 936: "4012345000009", 1041: "DE"})


def head(number: str, day: str, kind: str) -> list[str]:
    """What both IDocs begin with."""
    return [
        control(),
        record("E2EDK01005", {67: "EUR", 142: kind, 146: number}),
        partner("RS", "1000", "Stahlhandel Nord AG", "Hamburg", "20457"),
        partner("AG", "0000001042", "Werft Süd GmbH", "Kiel", "24103"),
        record("E2EDKA3", {63: "005", 66: "einkauf@werft.example"}, level=3),
        partner("RE", "0000001043", "Werft Süd GmbH,", "Kiel", "24103", "Buchhaltung Größe"),
        record("E2EDKA3", {63: "005", 66: "rechnung@werft.example"}, level=3),
        partner("WE", "0000001044", "Werft Süd, Tor 4", "Kiel", "24103"),
        record("E2EDK02", {63: "001", 66: "4500001", 107: "20260220"}),
        record("E2EDK02", {63: "009", 66: number, 107: day}),
        record("E2EDK03", {63: "012", 66: day}),
        record("E2EDK14", {63: "008", 66: "1000"}),
        record("E2EDK17", {63: "001", 66: "DAP", 69: "Kiel"}),
        record("E2EDK18", {63: "001", 82: "30 Tage netto"}),
        record("E2EDKT1", {63: "0001"}),
        record("E2EDKT2", {63: "Lieferung wie", 133: "* "}, level=3),
        record("E2EDKT2", {63: "vereinbart.", 133: "* "}, level=3),
    ]


def item(number: str, name: str, amount: str, price: str = "") -> list[str]:
    """E1EDP01 with what belongs to it."""
    return [
        record("E2EDP01007", {63: number, 74: "2.500", 89: "TNE", 117: price, 141: amount}),
        record("E2EDP02", {63: "001", 66: "4500001"}, level=3),
        record("E2EDP03", {63: "001", 66: "20260301"}, level=3),
        record("E2EDP19002", {63: "002", 66: "BL-20", 101: name}, level=3),
        record("E2EDP26", {63: "003", 66: amount}, level=3),
        record("E2EDPT1001", {63: "0001"}, level=3),
        record("E2EDPT2001", {63: "gebeizt"}, level=4),
    ]


def sums(net: str, tax: str, payable: str) -> list[str]:
    """The ends of an invoice."""
    pairs = (("010", net), ("005", tax), ("011", payable))
    return [record("E2EDS01", {63: code, 66: amount}, level=1) for code, amount in pairs]


def files() -> dict[str, bytes]:
    """One invoice in full width, Latin-1 and CRLF; an invoice and a credit memo without their blanks, UTF-8 and LF."""
    invoice = [*head("0090000123", "20260302", "INVO"), record("Z1E1EDK01", {63: "intern"})]
    invoice += [*item("000010", "Stahlblech 20 mm", "2500.00", "1000.00"), *sums("2500.00", "475.00", "2975.00")]
    credit = [*head("0090000124", "20260303", "CRME"), *item("000010", "Stahlblech 20 mm", "250.00-")]
    credit += sums("250.00-", "47.50-", "297.50-")
    full = "".join(f"{line}\r\n" for line in invoice)
    trimmed = "".join(f"{line.rstrip()}\n" for line in invoice + credit)
    return {
        "reader-116-idoc-flat/in.txt": full.encode("latin-1"),
        "reader-117-idoc-flat-several/in.txt": trimmed.encode("utf-8"),
    }


if __name__ == "__main__":
    for name, data in files().items():
        (HERE / name).write_bytes(data)
