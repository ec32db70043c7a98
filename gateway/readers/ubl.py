"""UBL 2.x (OASIS): Peppol BIS, EN 16931, XRechnung, PUF and national profiles; invoices whole, others for routing."""

from __future__ import annotations

from lxml import etree

from gateway import address, doctypes
from gateway.doctypes.invoice import INVOICE
from gateway.doctypes.order_response import ORDER_RESPONSE
from gateway.doctypes.other import OTHER
from gateway.model import Found, ReadDocument
from gateway.readers.item import Item
from gateway.readers.oioubl import content_of
from gateway.readers.ubl_paths import DOCUMENT, UBL
from gateway.readers.ubl_roles import ROLES, Role, Roles
from gateway.readers.ubl_trade import trade_of
from gateway.readers.xpath import date_of, decimal_of

MAX_CANDIDATES = 50

_AGREEMENT = ":trns:order_agreement:"  # Peppol Order Agreement, which has the root of a response
_NAMES = ("cac:PartyLegalEntity/cbc:RegistrationName", "cac:PartyName/cbc:Name")
_IDENTIFIER = "cac:PartyIdentification/cbc:ID"
_LANGUAGES = {"eng": "en", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "swe": "sv"}  # ISO 639-2 as met


class UblReader:
    """UBL documents whose root a routing type claims."""

    name = "ubl"

    def sniff(self, item: Item) -> bool:
        """By the root's qualified name."""
        return item.root is not None and item.root.tag.startswith(f"{{{DOCUMENT}") and _is_known(item.root.tag)

    def read(self, item: Item) -> list[ReadDocument]:
        """One document: the header fields with their evidence, and the invoice where it is one."""
        return [_Reading(item).document()]


def _is_known(root: str) -> bool:
    return doctypes.by_root(root) is not None and etree.QName(root).localname in ROLES


class _Reading:
    """One pass over one document; collects evidence and notes on the way."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.root = item.root
        self.roles: Roles = ROLES[etree.QName(item.root).localname]
        self.evidence: list[Found] = []
        self.notes: list[str] = []

    def document(self) -> ReadDocument:
        """The whole reading."""
        kind, subtype = doctypes.by_root(self.root.tag) or (OTHER, None)
        if kind is ORDER_RESPONSE and _AGREEMENT in (UBL.value(self.root, "cbc:CustomizationID") or ""):
            subtype = "agreement"
        is_invoice = kind is INVOICE
        return ReadDocument(
            format="ubl",
            profile=self.first("profile", "cbc:CustomizationID", "cbc:ProfileID"),
            type=kind.name,
            subtype=(subtype or self.subtype()) if is_invoice else subtype,
            number=self.first("number", "cbc:ID"),
            issue_date=date_of(self.date("issue_date", "cbc:IssueDate")),
            due_date=date_of(self.date("due_date", *self.roles.due)),
            customer_numbers=self.customer_numbers(),
            emails=self.emails(),
            seller=self.first("seller", *(f"{self.roles.seller}/{name}" for name in _NAMES)),
            buyer=self.first("buyer", *(f"{self.roles.buyer}/{name}" for name in _NAMES)),
            currency=self.currency(),
            payable=self.payable(),
            language=self.language(),
            invoice=content_of(self.root, self.notes) if is_invoice and self.item.whole else None,
            trade=trade_of(self.root, self.roles, self.currency()) if not is_invoice and self.item.whole else None,
            evidence=(*self.evidence, *self.item.evidence),  # last: the calls above have filled them
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def found(self, field: str, value: str, path: str) -> str:
        """Keep the evidence that `value` stands at `path`."""
        self.evidence.append(Found(field=field, value=value, where=f"{self.item.path}/{path}"))
        return value

    def first(self, field: str, *paths: str) -> str | None:
        """The value at the first of `paths` that holds one."""
        for path in paths:
            if value := UBL.value(self.root, path):
                return self.found(field, value, path)
        return None

    def date(self, field: str, *paths: str) -> str | None:
        """The text of the first date; what is no date is noted and not used."""
        for path in paths:
            value = UBL.value(self.root, path)
            if value and date_of(value) is None:
                self.notes.append(f"{path} is {value!r}, which is no date.")
            elif value:
                return self.found(field, value, path)
        return None

    def subtype(self) -> str:
        """The subtype by UNTDID 1001; an unknown code is an invoice all the same, since the root says so."""
        code = self.first("type_code", "cbc:InvoiceTypeCode")
        subtype = doctypes.invoice_subtype(code) if code else "invoice"
        if subtype is None:
            self.notes.append(f"cbc:InvoiceTypeCode {code!r} is no invoice code of UNTDID 1001.")
        return subtype or "invoice"

    def customer_numbers(self) -> tuple[str, ...]:
        """Candidates in the order: assigned account, identifiers without scheme or ZZZ, identifiers with one."""
        numbers: dict[str, None] = {}
        for role in self.roles.addressees:
            if role.account and (value := UBL.value(self.root, role.account)):
                numbers.setdefault(self.found("customer_number", value, role.account))
            path = f"{role.party}/{_IDENTIFIER}"
            identifiers = [(node, UBL.value(node, ".")) for node in UBL.nodes(self.root, path)]
            for agreed in (True, False):  # ZZZ: mutually agreed (UNTDID 3055)
                for node, value in identifiers:
                    scheme = (node.get("schemeID") or "").strip()
                    if value and (scheme in ("", "ZZZ")) is agreed and value not in numbers:
                        shown = f"[@schemeID={scheme[:40]!r}]" if scheme else ""
                        numbers.setdefault(self.found("customer_number", value, path + shown))
        return tuple(numbers)[:MAX_CANDIDATES]

    def emails(self) -> tuple[str, ...]:
        """The addressee's addresses: the electronic address (BT-49) before the contact's (BT-58), lists split."""
        own = {text.casefold() for path in _email_paths(Role(party=self.roles.sender)) for text in self.listed(path)}
        emails: dict[str, str] = {}
        for role in self.roles.addressees:
            for path in _email_paths(role):
                for text in self.listed(path):
                    if "@" not in text:
                        self.notes.append(f"{path} is {text!r}, which is no e-mail address.")
                    elif text.casefold() in own:
                        self.notes.append(f"{path} is {text!r}, which is the sender's own address, and is not used.")
                    elif text.casefold() not in emails:
                        emails[text.casefold()] = self.found("email", text, path)
        return tuple(emails.values())[:MAX_CANDIDATES]

    def listed(self, path: str) -> list[str]:
        """The items of every list of addresses at `path`."""
        return [
            item[7:] if item[:7].casefold() == "mailto:" else item
            for value in UBL.values(self.root, path)
            for item in address.split_list(value)
        ]

    def currency(self) -> str | None:
        """The document's currency (BT-5), else that of the amount to pay."""
        paths = ["cbc:DocumentCurrencyCode"]
        if self.roles.payable:
            paths.append(f"{self.roles.payable}/@currencyID")
        return self.first("currency", *paths)

    def payable(self) -> str | None:
        """The amount to pay (BT-115), as written."""
        value = self.first("payable", self.roles.payable) if self.roles.payable else None
        if value and decimal_of(value) is None:
            self.notes.append(f"PayableAmount is {value!r}, which is no number.")
        return value

    def language(self) -> str | None:
        """The language that the document's texts are marked with."""
        for path in ("cbc:Note/@languageID", "cac:PaymentTerms/cbc:Note/@languageID", "*/*/cac:Item/*/@languageID"):
            value = UBL.value(self.root, path)
            language = value and (_LANGUAGES.get(value.lower()) or value.lower().replace("_", "-").partition("-")[0])
            if language and len(language) == 2 and language.isalpha() and language.isascii():
                self.found("language", language, path)
                return language
        return None


def _email_paths(role: Role) -> list[str]:
    contacts = (f"{role.party}/cac:Contact", *role.contacts)
    endpoint = f"{role.party}/cbc:EndpointID[@schemeID='EM' or contains(., '@')]"
    return [endpoint, *(f"{contact}/cbc:ElectronicMail" for contact in contacts)]
