"""An ordinary FatturaPA in the terms of EN 16931-1."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.en16931 import (
    AllowanceCharge,
    Invoice,
    Note,
    Party,
    PaymentMeans,
    Reference,
    Totals,
    VatBreakdown,
)
from gateway.readers.fatturapa_codes import TYPES, category_of, means_of
from gateway.readers.fatturapa_line import lines_of
from gateway.readers.fatturapa_party import FATTURAPA, address_of, buyer_of, representative_of, seller_of
from gateway.readers.stated import STANDARD, sum_of
from gateway.readers.xpath import date_of, embedded_object

BODY = "FatturaElettronicaBody"
_HEADER = "FatturaElettronicaHeader"
_GENERAL = f"{BODY}/DatiGenerali"
_DOCUMENT = f"{_GENERAL}/DatiGeneraliDocumento"
_PAYMENT = f"{BODY}/DatiPagamento/DettaglioPagamento"
_DISCOUNT = "SC"  # Tipo of ScontoMaggiorazione; MG is a charge

# Elements that are met and that EN 16931 has no term for; kept by path and value.
_WITHOUT_TERM = (
    f"{_HEADER}/DatiTrasmissione/ProgressivoInvio",
    f"{_HEADER}/DatiTrasmissione/CodiceDestinatario",
    f"{_HEADER}/CedentePrestatore/DatiAnagrafici/RegimeFiscale",
    f"{_HEADER}/CedentePrestatore/IscrizioneREA/CapitaleSociale",
    f"{_HEADER}/CedentePrestatore/IscrizioneREA/SocioUnico",
    f"{_HEADER}/CedentePrestatore/IscrizioneREA/StatoLiquidazione",
    f"{_HEADER}/TerzoIntermediarioOSoggettoEmittente/DatiAnagrafici/Anagrafica/Denominazione",
    f"{_DOCUMENT}/DatiRitenuta/ImportoRitenuta",
    f"{_DOCUMENT}/DatiRitenuta/TipoRitenuta",
    f"{_DOCUMENT}/DatiBollo/ImportoBollo",
    f"{_DOCUMENT}/Arrotondamento",
    f"{_DOCUMENT}/Art73",
    f"{_GENERAL}/DatiConvenzione/IdDocumento",
    f"{_GENERAL}/DatiTrasporto/CausaleTrasporto",
    f"{_GENERAL}/FatturaPrincipale/NumeroFatturaPrincipale",
    f"{BODY}/DatiBeniServizi/DatiRiepilogo/EsigibilitaIVA",
    f"{BODY}/DatiBeniServizi/DatiRiepilogo/SpeseAccessorie",
    f"{BODY}/DatiPagamento/CondizioniPagamento",
    f"{_PAYMENT}[position() > 1]/DataScadenzaPagamento",
)


def invoice_of(root: Any, notes: list[str]) -> Invoice:
    """The content of `root`; what follows from the format's own definitions is noted."""
    lines = lines_of(root, notes)
    place = FATTURAPA.node(root, f"{_GENERAL}/DatiTrasporto/IndirizzoResa")
    code = FATTURAPA.value(root, f"{_DOCUMENT}/TipoDocumento")
    if len(FATTURAPA.values(root, f"{_PAYMENT}/DataScadenzaPagamento")) > 1:
        notes.append("Of several due dates the first counts.")
    if FATTURAPA.nodes(root, f"{_DOCUMENT}/DatiRitenuta"):
        notes.append("Part of the tax is withheld (DatiRitenuta); EN 16931 has no place for it.")
    entries = _allowances_charges(root)
    delivered = FATTURAPA.value(root, f"{_GENERAL}/DatiTrasporto/DataOraConsegna") or ""
    return Invoice(
        number=FATTURAPA.value(root, f"{_DOCUMENT}/Numero"),
        issue_date=FATTURAPA.date(root, f"{_DOCUMENT}/Data"),
        type_code=TYPES.get(code or ""),
        currency=FATTURAPA.value(root, f"{_DOCUMENT}/Divisa"),
        due_date=FATTURAPA.date(root, f"{_PAYMENT}/DataScadenzaPagamento"),
        **_references(root),
        accounting_reference=FATTURAPA.value(root, f"{_HEADER}/CedentePrestatore/RiferimentoAmministrazione"),
        notes=tuple(
            Note(text=text)
            for node in FATTURAPA.nodes(root, f"{_DOCUMENT}/Causale")
            if (text := FATTURAPA.text(node, "."))
        ),
        seller=seller_of(root, f"{_HEADER}/CedentePrestatore"),
        buyer=buyer_of(root, f"{_HEADER}/CessionarioCommittente"),
        tax_representative=representative_of(root, f"{_HEADER}/RappresentanteFiscale"),
        deliver_to=Party(address=address_of(place)) if place is not None else None,
        delivery_date=date_of(delivered[:10]),
        payment=_payment(root),
        allowances_charges=entries,
        totals=_totals(root, [line.amount for line in lines], entries, notes),
        vat=tuple(_vat(node) for node in FATTURAPA.nodes(root, f"{BODY}/DatiBeniServizi/DatiRiepilogo")),
        supporting=supporting_of(root),
        lines=lines,
        extensions=tuple((path, value) for path in _WITHOUT_TERM for value in FATTURAPA.values(root, path)),
    )


def _references(root: Any) -> dict[str, Any]:
    """BT-11 to BT-17 and BG-3; the codes of project and tender (CUP, CIG) stand with order, contract or agreement."""
    documents = f"{_GENERAL}/*[self::DatiOrdineAcquisto or self::DatiContratto or self::DatiConvenzione]"
    linked = FATTURAPA.nodes(root, f"{_GENERAL}/DatiFattureCollegate")
    return {
        "order": FATTURAPA.value(root, f"{_GENERAL}/DatiOrdineAcquisto/IdDocumento"),
        "contract": FATTURAPA.value(root, f"{_GENERAL}/DatiContratto/IdDocumento"),
        "receiving_advice": FATTURAPA.value(root, f"{_GENERAL}/DatiRicezione/IdDocumento"),
        "despatch_advice": FATTURAPA.value(root, f"{_GENERAL}/DatiDDT/NumeroDDT"),
        "project": FATTURAPA.value(root, f"{documents}/CodiceCUP"),
        "tender": FATTURAPA.value(root, f"{documents}/CodiceCIG"),
        "preceding": tuple(
            Reference(id=number, date=FATTURAPA.date(node, "Data"))
            for node in linked
            if (number := FATTURAPA.value(node, "IdDocumento"))
        ),
    }


def _payment(root: Any) -> tuple[PaymentMeans, ...]:
    """BG-16: one for each instalment that says how it is paid; the same ones once."""
    means = (
        PaymentMeans(
            code=means_of(FATTURAPA.value(node, "ModalitaPagamento")),
            reference=FATTURAPA.value(node, "CodicePagamento"),
            account=FATTURAPA.value(node, "IBAN"),
            account_name=FATTURAPA.value(node, "Beneficiario"),
            bic=FATTURAPA.value(node, "BIC"),
        )
        for node in FATTURAPA.nodes(root, _PAYMENT)
    )
    return tuple(dict.fromkeys(means))


def _allowances_charges(root: Any) -> tuple[AllowanceCharge, ...]:
    """BG-20 and BG-21: discounts and surcharges of the document, and contributions to pension funds."""
    found = [
        AllowanceCharge(
            is_charge=FATTURAPA.value(node, "Tipo") != _DISCOUNT,
            amount=amount,
            percent=FATTURAPA.decimal(node, "Percentuale"),
        )
        for node in FATTURAPA.nodes(root, f"{_DOCUMENT}/ScontoMaggiorazione")
        if (amount := FATTURAPA.decimal(node, "Importo")) is not None
    ]
    for node in FATTURAPA.nodes(root, f"{_DOCUMENT}/DatiCassaPrevidenziale"):
        amount = FATTURAPA.decimal(node, "ImportoContributoCassa")
        if amount is not None:
            rate = FATTURAPA.decimal(node, "AliquotaIVA")
            found.append(
                AllowanceCharge(
                    is_charge=True,
                    amount=amount,
                    base=FATTURAPA.decimal(node, "ImponibileCassa"),
                    percent=FATTURAPA.decimal(node, "AlCassa"),
                    vat_category=STANDARD if rate else category_of(FATTURAPA.value(node, "Natura")),
                    vat_rate=rate,
                    reason=FATTURAPA.value(node, "TipoCassa"),
                )
            )
    return tuple(found)


def _totals(root: Any, amounts: list[Decimal | None], entries: tuple[AllowanceCharge, ...], notes: list[str]) -> Totals:
    """BG-22: the format states the total of the document at most; the others are sums of what it states."""
    summary = f"{BODY}/DatiBeniServizi/DatiRiepilogo"
    taxable = _sum(root, f"{summary}/ImponibileImporto")
    vat = _sum(root, f"{summary}/Imposta")
    stated = FATTURAPA.decimal(root, f"{_DOCUMENT}/ImportoTotaleDocumento")
    with_vat = stated
    if with_vat is None and taxable is not None and vat is not None:
        with_vat = taxable + vat
        notes.append("The total of the document is not stated; it is what is taxed and the tax added up.")
    to_pay = _sum(root, f"{_PAYMENT}/ImportoPagamento")
    allowances = [entry.amount for entry in entries if not entry.is_charge]
    charges = [entry.amount for entry in entries if entry.is_charge]
    return Totals(
        lines=sum_of(amounts, notes),
        allowances=sum(allowances, Decimal(0)) if allowances else None,
        charges=sum(charges, Decimal(0)) if charges else None,
        without_vat=taxable,
        vat=vat,
        with_vat=with_vat,
        payable=with_vat if to_pay is None else to_pay,
    )


def _sum(root: Any, path: str) -> Decimal | None:
    """What all elements at `path` add up to; None when one is no number."""
    found = [FATTURAPA.decimal(node, ".") for node in FATTURAPA.nodes(root, path)]
    stated = [amount for amount in found if amount is not None]
    return sum(stated, Decimal(0)) if stated and len(stated) == len(found) else None


def _vat(node: Any) -> VatBreakdown:
    rate, nature = FATTURAPA.decimal(node, "AliquotaIVA"), FATTURAPA.value(node, "Natura")
    law = FATTURAPA.text(node, "RiferimentoNormativo")
    return VatBreakdown(
        category=STANDARD if rate and not nature else category_of(nature),
        rate=rate,
        taxable=FATTURAPA.decimal(node, "ImponibileImporto"),
        amount=FATTURAPA.decimal(node, "Imposta"),
        exemption_reason=" ".join(part for part in (nature, law) if part) if nature else None,
    )


def supporting_of(root: Any) -> tuple[Reference, ...]:
    """BG-24: attachments, each with its name."""
    found = []
    for node in FATTURAPA.nodes(root, f"{BODY}/Allegati"):
        name = FATTURAPA.value(node, "NomeAttachment") or ""
        embedded = embedded_object(FATTURAPA.node(node, "Attachment"))
        embedded |= {"file_name": name or None, "media_type": _media_type(FATTURAPA.value(node, "FormatoAttachment"))}
        found.append(Reference(id=name, description=FATTURAPA.text(node, "DescrizioneAttachment"), **embedded))
    return tuple(found)


def _media_type(form: str | None) -> str | None:
    known = {"pdf": "application/pdf", "xml": "application/xml", "csv": "text/csv", "png": "image/png"}
    return known.get((form or "").lower().lstrip("."))
