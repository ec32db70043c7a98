"""Who is who in each UBL document: the party a document goes to, and the one it comes from."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Role:
    """A party of a document: where it stands, and where the number stands that the other side gave it."""

    party: str  # XPath of the element that holds cac:PartyIdentification, cac:Contact …
    account: str | None = None  # XPath of the number under which the sender knows it
    contacts: tuple[str, ...] = ()  # XPaths of contacts beside the party


@dataclasses.dataclass(frozen=True, kw_only=True)
class Roles:
    """The parties and amounts of one UBL document type."""

    addressees: tuple[Role, ...]  # best first
    seller: str  # XPath of the party
    buyer: str
    sender: str  # XPath of the party whose addresses are never the recipient's
    due: tuple[str, ...] = ()
    payable: str | None = None


CUSTOMER = Role(
    party="cac:AccountingCustomerParty/cac:Party",
    account="cac:AccountingCustomerParty/cbc:SupplierAssignedAccountID",
    contacts=("cac:AccountingCustomerParty/cac:AccountingContact", "cac:AccountingCustomerParty/cac:BuyerContact"),
)
BUYER = Role(
    party="cac:BuyerCustomerParty/cac:Party",
    account="cac:BuyerCustomerParty/cbc:SupplierAssignedAccountID",
    contacts=("cac:BuyerCustomerParty/cac:BuyerContact",),
)
DELIVERED = Role(
    party="cac:DeliveryCustomerParty/cac:Party",
    account="cac:DeliveryCustomerParty/cbc:SupplierAssignedAccountID",
    contacts=("cac:DeliveryCustomerParty/cac:DeliveryContact",),
)
SELLER = Role(
    party="cac:SellerSupplierParty/cac:Party",
    account="cac:SellerSupplierParty/cbc:CustomerAssignedAccountID",
    contacts=("cac:SellerSupplierParty/cac:SellerContact",),
)
RECEIVER = Role(party="cac:ReceiverParty")

_SUPPLIER = "cac:AccountingSupplierParty/cac:Party"

INVOICE = Roles(
    addressees=(CUSTOMER,),
    seller=_SUPPLIER,
    buyer=CUSTOMER.party,
    sender=_SUPPLIER,
    due=("cbc:DueDate", "cac:PaymentMeans/cbc:PaymentDueDate", "cac:PaymentTerms/cbc:PaymentDueDate"),
    payable="cac:LegalMonetaryTotal/cbc:PayableAmount",
)
STATEMENT = dataclasses.replace(INVOICE, payable="cbc:TotalBalanceAmount")
ORDER = Roles(
    addressees=(SELLER,),
    seller=SELLER.party,
    buyer=BUYER.party,
    sender=BUYER.party,
    payable="cac:AnticipatedMonetaryTotal/cbc:PayableAmount",
)
ORDER_RESPONSE = Roles(addressees=(BUYER,), seller=SELLER.party, buyer=BUYER.party, sender=SELLER.party)
DESPATCH_ADVICE = Roles(
    addressees=(DELIVERED, BUYER),
    sender="cac:DespatchSupplierParty/cac:Party",
    seller="cac:DespatchSupplierParty/cac:Party",
    buyer=DELIVERED.party,
)
CATALOGUE = Roles(
    addressees=(RECEIVER,), sender="cac:ProviderParty", seller="cac:ProviderParty", buyer="cac:ReceiverParty"
)
# Who received the goods tells the one who sent them.
RECEIPT_ADVICE = Roles(
    addressees=(
        Role(
            party="cac:DespatchSupplierParty/cac:Party",
            account="cac:DespatchSupplierParty/cbc:CustomerAssignedAccountID",
            contacts=("cac:DespatchSupplierParty/cac:DespatchContact",),
        ),
        SELLER,
    ),
    sender=DELIVERED.party,
    seller="cac:DespatchSupplierParty/cac:Party",
    buyer=DELIVERED.party,
)
FORECAST = Roles(addressees=(SELLER, RECEIVER), sender=BUYER.party, seller=SELLER.party, buyer=BUYER.party)
TRANSPORT = Roles(
    addressees=(RECEIVER, Role(party="cac:TransportServiceProviderParty"), Role(party="cac:FreightForwarderParty")),
    sender="cac:SenderParty",
    seller="cac:TransportServiceProviderParty",
    buyer="cac:TransportUserParty",
)
TRANSPORT_ANSWER = dataclasses.replace(TRANSPORT, addressees=(RECEIVER, Role(party="cac:TransportUserParty")))
UTILITY = Roles(
    addressees=(
        Role(party="cac:CustomerParty/cac:Party", account="cac:CustomerParty/cbc:SupplierAssignedAccountID"),
        CUSTOMER,
        RECEIVER,
        Role(party="cac:SubscriberParty"),
    ),
    sender="cac:SenderParty",
    seller="cac:SenderParty",
    buyer="cac:CustomerParty/cac:Party",
)
# Who answers is the buyer; the answer goes to the one who sold.
RESPONSE = Roles(addressees=(RECEIVER,), sender="cac:SenderParty", seller="cac:ReceiverParty", buyer="cac:SenderParty")

ROLES: dict[str, Roles] = {  # by the local name of the root
    "Invoice": INVOICE,
    "CreditNote": INVOICE,
    "Reminder": INVOICE,
    "Statement": STATEMENT,
    "Order": ORDER,
    "OrderChange": ORDER,
    "OrderCancellation": ORDER,
    "OrderResponse": ORDER_RESPONSE,
    "OrderResponseSimple": ORDER_RESPONSE,
    "DespatchAdvice": DESPATCH_ADVICE,
    "Catalogue": CATALOGUE,
    "ApplicationResponse": RESPONSE,
    "ReceiptAdvice": RECEIPT_ADVICE,
    "Forecast": FORECAST,
    "ForecastRevision": FORECAST,
    "ForwardingInstructions": TRANSPORT,
    "TransportExecutionPlanRequest": TRANSPORT,
    "TransportExecutionPlan": TRANSPORT_ANSWER,
    "UtilityStatement": UTILITY,
}
