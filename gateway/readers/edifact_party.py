"""Parties of an INVOIC message in the terms of EN 16931, and how they are paid."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from gateway.en16931 import Address, Contact, Identifier, Party, PaymentMeans
from gateway.readers import edifact_codes as codes
from gateway.readers.edifact_groups import Group, Message, coded, every, is_cen, reference, started, texts
from gateway.readers.edifact_syntax import Segment
from gateway.readers.xpath import clean

_MOST_LINES = 3
_CONTACT_ALONE = "IC"  # information contact


def group_of(message: Message, roles: Sequence[str]) -> Group:
    """The group of the first of `roles` that is there; empty when there is none."""
    parties = started(message.header, "NAD")
    for role in roles:
        for group in parties:
            if group[0].at(0) == role:
                return group
    return ()


def party_of(message: Message, roles: Sequence[str], release: str) -> Party | None:
    """The party of one of `roles`; None when there is none."""
    group = group_of(message, roles)
    if not group:
        return None
    nad = group[0]
    endpoint, contact = _contacts(group)
    names = nad.all(3) or nad.all(2)  # C080, or the unstructured C058
    # Since the elements hold whole names, the second is the trading name (CEN/TS 16931-3-4); before, it goes on.
    is_cut = not is_cen(release)
    party = Party(
        name=clean(" ".join(names) if is_cut else (names[0] if names else None)),
        trading_name=None if is_cut or len(names) < 2 else clean(names[1]),
        identifiers=_identifiers(nad),
        legal_id=_registered(reference(group, codes.LEGAL_ID)),
        vat_id=reference(group, codes.VAT_ID),
        tax_id=reference(group, codes.TAX_ID),
        endpoint=endpoint,
        account_id=reference(group, codes.CUSTOMER_NUMBER),
        address=_address(nad),
        contact=contact,
    )
    return party if party != Party() else None


def emails_of(group: Group) -> list[str]:
    """COM with the qualifier EM."""
    return [mail for segment in group if segment.tag == "COM" and segment.at(0, 1) == "EM" if (mail := segment.at(0))]


def payment_of(message: Message) -> tuple[PaymentMeans, ...]:
    """BG-16 to BG-19: PAI with the accounts of the payee, one each."""
    header = [segment for group in message.header for segment in group]
    instruction = next((segment for segment in header if segment.tag == "PAI"), None)
    buyer, seller = group_of(message, codes.BUYER), group_of(message, codes.SELLER)
    debited = coded(buyer, "FII", codes.PAYER_BANK)
    said = texts(header, codes.PAYMENT_TEXT)
    shared = PaymentMeans(
        code=instruction.at(0, 2) if instruction else None,
        text=said[0] if said else None,
        reference=reference(header, codes.PAYMENT_REFERENCE),
        mandate=reference(buyer, codes.MANDATE),
        creditor=reference(buyer, codes.CREDITOR) or reference(seller, codes.CREDITOR),
        debited_account=clean(debited.at(1)) if debited else None,
    )
    accounts: dict[str, tuple[str | None, str | None]] = {}
    for segment in every(message.header, "FII"):
        account = clean(segment.at(1))
        if account and segment.at(0) in codes.PAYEE_BANK:
            known = accounts.get(account, (None, None))
            accounts[account] = (known[0] or segment.at(2), known[1] or clean(" ".join(segment.all(1, 1, 3))))
    if not accounts:
        return (shared,) if shared != PaymentMeans() else ()
    return tuple(
        PaymentMeans(**{**_fields(shared), "account": account, "bic": bic, "account_name": name})
        for account, (bic, name) in accounts.items()
    )


def _fields(means: PaymentMeans) -> dict[str, str | None]:
    return {name: getattr(means, name) for name in means.__struct_fields__}


def _identifiers(nad: Segment) -> tuple[Identifier, ...]:
    """C082: the scheme is that of the agency, or what CEN/TS 16931-3-4 writes in its place."""
    value = clean(nad.at(1))
    if not value:
        return ()
    listed = nad.at(1, 1) or ""
    scheme = codes.AGENCIES.get(nad.at(1, 2) or "") or (listed if len(listed) == 4 and listed.isdigit() else None)
    return (Identifier(value=value, scheme=scheme),)


def _registered(value: str | None) -> Identifier | None:
    return Identifier(value=value) if value else None


def _address(nad: Segment) -> Address | None:
    lines = nad.all(4)
    lines = [*lines[: _MOST_LINES - 1], " ".join(lines[_MOST_LINES - 1 :])] if len(lines) > _MOST_LINES else lines
    line1, line2, line3 = (*lines, None, None, None)[:3]
    address = Address(
        line1=clean(line1),
        line2=clean(line2),
        line3=clean(line3),
        city=clean(nad.at(5)),
        subdivision=clean(nad.at(6) or nad.at(6, 3)),  # 3229, or C819 3228 since D.99A
        post_code=clean(nad.at(7)),
        country=clean(nad.at(8)),
    )
    return address if address != Address() else None


def _contacts(group: Group) -> tuple[Identifier | None, Contact | None]:
    """BT-34 or BT-49, and BG-6 or BG-9: an information contact that has an address and no name is the electronic
    address (CEN/TS 16931-3-4); the first other one is the person."""
    endpoint: Identifier | None = None
    contact: Contact | None = None
    starts = [at for at, segment in enumerate(group) if segment.tag == "CTA"]
    for start, end in itertools.pairwise([*starts, len(group)]):
        head, rest = group[start], group[start + 1 : end]
        name = clean(head.at(1, 1) or head.at(1))
        mails = emails_of(rest)
        phone = coded(rest, "COM", ("TE", "AL"), 0, 1)
        if head.at(0) == _CONTACT_ALONE and not name and mails and not phone and len(starts) > 1:
            endpoint = endpoint or Identifier(value=mails[0], scheme="EM")
        elif contact is None and (name or phone or mails):
            contact = Contact(name=name, phone=clean(phone.at(0)) if phone else None, email=mails[0] if mails else None)
    return endpoint, contact
