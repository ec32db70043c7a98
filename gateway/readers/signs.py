"""Whether a file may hold several documents, told from its bytes alone: cheap, and without any parser.

Yes is only a suspicion, and costs a worker a look; no is final. A wrapper of `unwrapping.WRAPPERS` that can give more
than one document needs its sign here.
"""

from __future__ import annotations

_CONTAINERS = (  # how files start that hold other files
    b"PK\x03\x04",
    b"\x30\x80",  # DER and BER: a SEQUENCE of indefinite or of long form, as CMS signatures start
    b"\x30\x81",
    b"\x30\x82",
    b"\x30\x83",
    b"\x30\x84",
    b"MI",  # the same in base64
    b"-----BEGIN ",
)
_SIGNS = (  # a text, and how often it stands in a file with several documents at least
    (b"<?xml", 2),
    (b"StandardBusinessDocument", 1),
    (b"ObjectEnvelope", 1),
    (b"/soap", 1),
    (b"FatturaElettronicaBody", 3),
    (b"Facturae", 1),
    (b"EDI_DC40", 2),
    (b"UNH", 2),
)
_TEXTS = (b"<", b"UNA", b"UNB", b"EDI_DC40")  # how files start that are cut where a sign stands
_LONGEST = 4_000_000  # bytes that are searched here; a larger file is worth the look
_BLANKS = b" \t\r\n\xef\xbb\xbf\xff\xfe"


def may_hold_several(data: bytes) -> bool:
    """Whether it is worth a look what documents `data` hold."""
    start = data[:64].lstrip(_BLANKS)
    if start.startswith(_CONTAINERS):
        return True
    if not start.replace(b"\0", b"").startswith(_TEXTS):
        return False
    if len(data) > _LONGEST:
        return True
    if b"\0" in start:  # 16 or 32 bits a character
        data = data.replace(b"\0", b"")
    return any(data.count(sign) >= least for sign, least in _SIGNS)
