"""Where an INVOIC message has the terms of EN 16931: one recipe per qualifier.

The qualifiers are those of UNTDID D.93A, D.96A and D.01B as EANCOM 1997 and 2002 use them, and of CEN/TS 16931-3-4
(D.14B), which names more. Where several say the same, the first that is there wins.
"""

from __future__ import annotations

# DTM C507 2005: date of the document
DATES = {
    "issue_date": ("137", "3"),
    "tax_point_date": ("131",),
    "delivery_date": ("35", "11", "1"),  # delivered; despatched; service completed
    "due_date": ("13", "265", "12"),  # terms net due, due, discount due: in PAT or PYT, or in the header
}
PERIOD = ("167", "168", "263")  # start, end, and both in one (UNTDID 2379 code 718)

# RFF C506 1153 of the header: the reference of a field
REFERENCES = {
    "order": ("ON",),
    "contract": ("CT",),
    "sales_order": ("VN",),
    "receiving_advice": ("ALO", "ALQ"),
    "despatch_advice": ("AAK", "DQ"),
    "tender": ("GC",),
    "project": ("AEP",),
    "buyer_reference": ("CR",),
    "accounting_reference": ("AOU",),
}
PRECEDING = ("OI", "IV")
PAYMENT_REFERENCE = ("PQ", "PK")

# NAD 3035: who is what
SELLER = ("SE", "SU", "II")  # seller; supplier, as EANCOM calls it; issuer of the invoice
BUYER = ("BY", "IV")  # buyer; invoicee
PAYEE = ("PE",)
TAX_REPRESENTATIVE = ("LC",)
DELIVER_TO = ("DP", "ST", "UC")
# RFF C506 1153 below NAD
VAT_ID = ("VA",)
LEGAL_ID = ("GN", "XA")
TAX_ID = ("AHP", "FC")
CUSTOMER_NUMBER = ("IT", "ADE")  # the number that the seller gave the buyer; account number
MANDATE, CREDITOR = ("AVS",), ("AII",)
# FII 3035
PAYEE_BANK, PAYER_BANK = ("RB", "RH", "BF"), ("BI", "PB")
# C082 3055: who gave the number of a party; 9 is GS1, whose numbers ISO 6523 knows as 0088
AGENCIES = {"9": "0088", "16": "0060"}

# FTX 4451
PAYMENT_TERMS = ("AAB",)
LEGAL_FORM = ("REG",)  # in D.14B alone, or with the text code 33, which is ours: else it is a note
LEGAL_FORM_CODE = "33"
EXEMPTION = ("AGM", "TXD")
PAYMENT_TEXT = ("AAT",)
SPECIFICATION = ("DOC",)
LINE_NOTE, LINE_ATTRIBUTE = ("ACB", "LIN", "AAI"), ("ACF",)

# MOA C516 5025 of the summary
TOTALS = {
    "lines": ("79",),
    "allowances": ("260",),
    "charges": ("259",),
    "without_vat": ("389", "125"),
    "vat": ("176", "124"),
    "vat_accounting_currency": ("2",),
    "with_vat": ("388", "77", "39", "86"),
    "paid": ("113",),
    "payable": ("9",),
}
PAYABLE = ("9", "77", "388", "39", "86")  # for routing
TAXABLE, TAX = ("125", "79"), ("124", "176")  # below TAX
ALLOWANCE_AMOUNT, ALLOWANCE_BASE = ("204", "23", "8"), ("25", "13")  # below ALC
PRICE_DISCOUNT = ("509",)  # below ALC of a line: a part of the price, no allowance
LINE_AMOUNT = ("203", "38", "66")
# QTY C186 6063: invoiced, despatched, delivered, ordered
QUANTITIES = ("47", "12", "46", "21", "1")
UNITS = {"PCE": "H87"}  # a piece, in older and in newer editions of Recommendation 20 (BT-130)
# PRI C509 5125
NET_PRICE, GROSS_PRICE = ("AAA", "INV", "CAL"), ("AAB",)
# PIA C212 7143
SELLERS_ITEM, BUYERS_ITEM = ("SA",), ("IN", "BP")
GTIN = ("EN", "SRV", "UP")
GTIN_SCHEME = "0160"  # ISO 6523
# IMD 7077: free form, free form long description
NAME_TYPES, DESCRIPTION_TYPES = ("F", "E", "B", ""), ("A",)
