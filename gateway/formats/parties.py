"""Who sells and who buys, as blocks of lines; dates and references as a table of labels and values."""

from __future__ import annotations

from gateway.en16931 import Address, Contact, Identifier, Invoice, Party, Period
from gateway.formats.glyphs import Page
from gateway.formats.words import Words

LONGEST_LEGAL = 240  # characters of BT-33 that the footer holds
# French post reads the address at the right (NF Z 11-001), the others as in DIN 5008.
_RIGHT_WINDOW = frozenset({"FR", "MC", "GP", "MQ", "GF", "RE", "YT", "PM", "NC", "PF"})
_CITY_FIRST = frozenset({"GB", "IE", "US", "CA", "AU", "NZ"})
_WIDE = 34  # characters of a word that a column of parties holds
_NARROW = 22


def window(invoice: Invoice) -> str:
    """Where the buyer's address stands: `left` or `right`, by the country the letter is posted in."""
    address = invoice.seller.address or invoice.buyer.address
    return "right" if address and (address.country or "").upper() in _RIGHT_WINDOW else "left"


def address_lines(address: Address | None, words: Words, home: str | None) -> list[str]:
    """The lines of a postal address; the country only when it is not `home`."""
    if address is None:
        return []
    country = (address.country or "").upper()
    city = [address.post_code, address.city]
    if country in _CITY_FIRST:
        city = [address.city, address.subdivision, address.post_code]
    found = [address.line1, address.line2, address.line3, " ".join(filter(None, city))]
    if address.subdivision and country not in _CITY_FIRST:
        found.append(address.subdivision)
    if country and country != (home or "").upper():
        found.append(words.country(country))
    return [line for line in found if line and line.strip()]


def _name_lines(party: Party) -> list[str]:
    return list(dict.fromkeys(filter(None, (party.name or party.trading_name, party.trading_name))))


def _country(party: Party) -> str | None:
    return party.address.country if party.address else None


def lines(party: Party, words: Words, page: Page, other: Party) -> list[str]:
    """Name and address of `party`; its country only if `other` lives elsewhere."""
    found = address_lines(party.address, words, _country(other))
    country = _country(party)
    if country and found and found[-1] == words.country(country.upper()):
        found[-1] = found[-1].upper()  # as on an envelope (Universal Postal Union S42)
    return [page.text(line, _WIDE) for line in _name_lines(party) + found]


def head(invoice: Invoice, words: Words, page: Page) -> dict[str, object]:
    """The seller at the top of the page, and the small lines above the buyer's address that say who sent it."""
    seller = invoice.seller
    address = address_lines(seller.address, words, _country(invoice.buyer))
    contact = seller.contact
    reach = []
    if contact and contact.phone:
        reach.append(f"{words.say('text', 'phone')} {contact.phone}")
    if contact and contact.email:
        reach.append(contact.email)
    names = _name_lines(seller)
    below = names[1:] + [" · ".join(address)] * bool(address) + [" · ".join(reach)] * bool(reach)
    return {
        "name": page.text(names[0] if names else "", 24),
        "lines": [page.text(line, 40) for line in below],
        "return": page.text(_fitting(names[:1] + address, 110), 40),
    }


def _fitting(parts: list[str], longest: int) -> str:
    """As many of `parts` as fit in `longest` characters, at least the first."""
    line = parts[0] if parts else ""
    for part in parts[1:]:
        if len(line) + 3 + len(part) <= longest:
            line += f" · {part}"
    return line


def meta(invoice: Invoice, words: Words, page: Page) -> list[list[str]]:
    """Dates and references as (label, value), in the order a clerk looks for them."""
    dates = {
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "delivery_date": invoice.delivery_date,
        "tax_point_date": invoice.tax_point_date,
    }
    rows: dict[str, str | None] = {name: words.date(date) for name, date in dates.items() if date}
    rows["period"] = period(invoice.period, words)
    buyer = invoice.buyer
    rows["customer_number"] = customer_number(buyer)
    for name in ("buyer_reference", "order", "sales_order", "contract", "project", "tender", "despatch_advice"):
        rows[name] = getattr(invoice, name)
    rows["receiving_advice"] = invoice.receiving_advice
    rows["invoiced_object"] = identified(invoice.invoiced_object)
    rows["accounting_reference"] = invoice.accounting_reference
    rows["seller_account"] = invoice.seller.account_id
    rows["tax_point_code"] = _tax_point(invoice.tax_point_code, words)
    rows["buyer_vat_id"] = buyer.vat_id
    rows["buyer_legal_id"] = buyer.legal_id.value if buyer.legal_id else None
    rows["buyer_tax_id"] = buyer.tax_id
    others_ = [entry for entry in buyer.identifiers if entry.value != rows["customer_number"]]
    rows["buyer_id"] = ", ".join(filter(None, map(identified, others_))) or None
    contact = buyer.contact or Contact()
    endpoint = identified(buyer.endpoint)
    rows["buyer_endpoint"] = endpoint if endpoint != contact.email else None
    rows["buyer_contact"] = contact.name
    rows["buyer_reach"] = ", ".join(filter(None, (contact.phone, contact.email))) or None
    rows["contact"] = invoice.seller.contact.name if invoice.seller.contact else None
    return [[words.say("meta", name), page.text(value, _NARROW)] for name, value in rows.items() if value]


def identified(identifier: Identifier | None) -> str | None:
    """An identifier after its scheme: `0088:7350001000012`; an e-mail address needs none."""
    if identifier is None:
        return None
    if identifier.scheme == "EM":  # EAS
        return identifier.value
    return ":".join(filter(None, (identifier.scheme, identifier.version, identifier.value)))


def _tax_point(code: str | None, words: Words) -> str | None:
    """When VAT falls due (BT-8), in words; UNTDID 2005 as EN 16931 has it, or 2475 as CII writes it."""
    return words.labels["tax_point"].get(code, code) if code else None


def customer_number(buyer: Party) -> str | None:
    """What the seller calls the buyer: the account, else an identifier that names no scheme (BT-46)."""
    return buyer.account_id or next((entry.value for entry in buyer.identifiers if not entry.scheme), None)


def period(value: Period | None, words: Words) -> str | None:
    """A period as `from – to`."""
    if value is None:
        return None
    return " – ".join(words.date(day) for day in (value.start, value.end) if day) or None


def others(invoice: Invoice, words: Words, page: Page) -> list[dict[str, object]]:
    """Deliver-to party, payee and tax representative, where the invoice names one."""
    blocks: list[dict[str, object]] = []
    for label in ("deliver_to", "payee", "tax_representative"):
        party: Party | None = getattr(invoice, label)
        if party is None:
            continue
        texts = lines(party, words, page, invoice.seller) + _ids(party, words, page) + _more(party, words, page)
        if texts:
            blocks.append({"label": words.say("text", label), "lines": texts})
    return blocks


def _ids(party: Party, words: Words, page: Page) -> list[str]:
    named = [
        ("legal_id", party.legal_id.value if party.legal_id else None),
        ("vat_id", party.vat_id),
        ("tax_id", party.tax_id),
        *(("id", identified(entry)) for entry in party.identifiers),
        ("endpoint", identified(party.endpoint)),
    ]
    found = []
    for name, text in named:
        if text:  # BT-32 may be words, such as the Swedish "Godkänd för F-skatt"
            label = words.say("text", name) + "\u00a0" if any(map(str.isdigit, text)) else ""
            found.append(page.text(label + text, _WIDE))
    return found


def _more(party: Party, words: Words, page: Page) -> list[str]:
    """What sources say of these parties though EN 16931 has no term for it."""
    contact = party.contact or Contact()
    account = f"{words.say('text', 'account')}\u00a0{party.account_id}" if party.account_id else None
    found = (party.legal_form, account, contact.name, contact.phone, contact.email)
    return [page.text(text, _WIDE) for text in found if text]


def legal(seller: Party, words: Words, page: Page) -> list[str]:
    """What the law wants at the foot of each page: name, register, VAT, legal form."""
    form = seller.legal_form if seller.legal_form and len(seller.legal_form) <= LONGEST_LEGAL else None
    names = _name_lines(seller)[:1] + ([form] if form else [])
    return [page.text(line.replace("\n", " ")[:LONGEST_LEGAL], 50) for line in names] + _ids(seller, words, page)
