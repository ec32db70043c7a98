"""The readers. The first whose `sniff` says yes reads; the order is the precedence."""

from __future__ import annotations

from gateway.readers.cii import CiiReader
from gateway.readers.cxml import CxmlReader
from gateway.readers.ebinterface import EbInterfaceReader
from gateway.readers.edifact import EdifactReader
from gateway.readers.facturae import FacturaeReader
from gateway.readers.fatturapa import FatturaPaReader
from gateway.readers.finvoice import FinvoiceReader
from gateway.readers.idoc import IDocReader
from gateway.readers.isdoc import IsdocReader
from gateway.readers.item import Reader
from gateway.readers.orderx import OrderXReader
from gateway.readers.other import OtherReader
from gateway.readers.pdf import PdfReader
from gateway.readers.svefaktura import SvefakturaReader
from gateway.readers.ubl import UblReader

READERS: tuple[Reader, ...] = (
    UblReader(),
    CiiReader(),
    FinvoiceReader(),
    OrderXReader(),
    CxmlReader(),
    IDocReader(),
    SvefakturaReader(),
    EbInterfaceReader(),
    IsdocReader(),
    EdifactReader(),
    FatturaPaReader(),
    FacturaeReader(),
    PdfReader(),
    OtherReader(),
)
