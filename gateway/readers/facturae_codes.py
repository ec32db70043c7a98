"""The code lists of Facturae (Orden HAP/1074/2014 and its schema) in the codes of EN 16931."""

from __future__ import annotations

# UnitOfMeasure to UN/ECE Recommendations 20 and 21 (packages with an X before their code), which the schema names;
# other units (05), Tetra Briks (14), six-packs (27) and portions (29) have no code there.
UNITS = {
    "01": "C62", "02": "HUR", "03": "KGM", "04": "LTR", "06": "XBX", "07": "XDS", "08": "XBA", "09": "XJY",
    "10": "XBG", "11": "XCO", "12": "XBO", "13": "XCI", "15": "CLT", "16": "CMT", "17": "XBI", "18": "DZN",
    "19": "XCS", "20": "XDJ", "21": "GRM", "22": "KMT", "23": "XCA", "24": "XBH", "25": "MTR", "26": "MMT",
    "28": "XPK", "30": "XRO", "31": "XEN", "32": "XTB", "33": "MTQ", "34": "SEC", "35": "WTT", "36": "KWH",
}  # fmt: skip

# PaymentMeans to UNTDID 4461; what it does not know is mutually defined.
_MEANS = {
    "01": "10", "02": "49", "04": "30", "09": "60", "10": "60", "11": "20", "14": "97", "15": "50", "16": "25",
    "17": "21", "18": "10", "19": "48",
}  # fmt: skip
_AGREED = "ZZZ"

# TaxTypeCode to UNTDID 5305: IVA by its rate, IPSI of Ceuta and Melilla, IGIC of the Canary Islands.
VAT, _IPSI, _IGIC = "01", "02", "03"
TAXES = (VAT, _IPSI, _IGIC)
_CATEGORIES = {_IPSI: "M", _IGIC: "L"}
# SpecialTaxableEventCode of a line: exempt, not subject
EVENTS = {"01": "E", "02": "O"}

# ISO 3166-1: the three letters of each country after its two.
_COUNTRIES = """
ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE BABIH BBBRB BDBGD BEBEL
BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD
CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA
DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF
GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD HNHND HRHRV HTHTI HUHUN
IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA
KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE
MFMAF MGMDG MHMHL MKMKD MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM
NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM
PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB RURUS RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN
SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL
TLTLS TMTKM TNTUN TOTON TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR
VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF ZMZMB ZWZWE
"""
COUNTRIES = {entry[2:]: entry[:2] for entry in _COUNTRIES.split()}


def means_of(code: str | None) -> str | None:
    """The payment means; None when none is stated."""
    return _MEANS.get(code, _AGREED) if code else None


def category_of(tax: str | None, rate: object, event: str | None) -> str | None:
    """UNTDID 5305: a rate makes IVA standard; without one only a special event of the line says why."""
    if tax in _CATEGORIES:
        return _CATEGORIES[tax]
    if tax != VAT:
        return None
    return "S" if rate else EVENTS.get(event or "")
