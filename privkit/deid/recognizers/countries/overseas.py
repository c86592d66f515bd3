"""Numbers of the countries outside Europe."""

from __future__ import annotations

from privkit.deid.recognizers.countries.identifier import Identifier

UNITED_STATES = (
    Identifier(
        "US_EIN",
        "us.ein",  # only the first two digits can be checked
        named=(r"\d{2}-\d{7}",),
        names=("ein", "fein", "employer identification number", "employer id", "federal tax id", "tax id"),
    ),
)

CANADA = (
    Identifier(
        "CA_SIN",
        "ca.sin",
        alone=(r"[1-79]\d{2}-\d{3}-\d{3}", r"[1-79]\d{2} \d{3} \d{3}"),
        named=(r"[1-79]\d{2}[ -]?\d{3}[ -]?\d{3}",),
        names=(
            "sin", "s.i.n.", "social insurance", "social insurance number", "nas", "n.a.s.", "assurance sociale",
            "numéro d'assurance sociale",
        ),
    ),
    Identifier(
        "CA_BC_PHN",
        "ca.bc_phn",
        named=(r"9\d{3}[ -]?\d{3}[ -]?\d{3}",),
        names=("phn", "personal health number", "health number", "care card", "carecard", "bc services card"),
    ),
)  # fmt: skip

MEXICO = (
    Identifier("MX_CURP", "mx.curp", alone=(r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d",)),
    Identifier("MX_RFC", "mx.rfc", alone=(r"[A-ZÑ&]{4}[ -]?\d{6}[ -]?[0-9A-Z]{3}",), capitals=True),
)

BRAZIL = (
    Identifier("BR_CPF", "br.cpf", alone=(r"\d{3}[.]\d{3}[.]\d{3}-\d{2}", r"\d{11}")),
    Identifier("BR_CNPJ", "br.cnpj", alone=(r"\d{2}[.]\d{3}[.]\d{3}/\d{4}-\d{2}", r"\d{14}")),
)

ARGENTINA = (
    Identifier(
        "AR_CUIT",
        "ar.cuit",
        alone=(r"(?:20|23|24|25|26|27|30|33|34|50|51|55)-\d{8}-\d",),
        named=(r"(?:20|23|24|25|26|27|30|33|34|50|51|55)[- ]?\d{8}[- ]?\d",),
        names=("cuit", "cuil", "cdi", "c.u.i.t.", "c.u.i.l."),
    ),
)

CHILE = (
    Identifier(
        "CL_RUT",
        "cl.rut",
        alone=(r"\d{1,2}[.]\d{3}[.]\d{3}-[0-9K]",),
        named=(r"\d{7,8}-?[0-9K]",),
        names=("rut", "run", "r.u.t.", "r.u.n.", "cédula"),
    ),
)

AUSTRALIA = (
    Identifier(
        "AU_TFN",
        "au.tfn",
        named=(r"\d{3}[ -]?\d{3}[ -]?\d{2,3}",),
        names=("tfn", "tax file number", "tax file no"),
    ),
    Identifier(
        "AU_MEDICARE",
        "checks:australian_medicare",
        named=(r"[2-6]\d{3}[ -]?\d{5}[ -]?\d(?:[ /-]?\d)?",),
        names=("medicare", "medicare number", "medicare no", "medicare card"),
    ),
    Identifier(
        "AU_ABN",
        "au.abn",  # one in 89
        alone=(r"\d{2} \d{3} \d{3} \d{3}",),
        named=(r"\d{2}[ -]?\d{3}[ -]?\d{3}[ -]?\d{3}",),
        names=("abn", "australian business number"),
    ),
)

NEW_ZEALAND = (
    Identifier(
        "NZ_IRD",
        "nz.ird",
        named=(r"\d{2,3}[ -]?\d{3}[ -]?\d{3}", r"\d{7,8}-\d"),
        names=("ird", "ird number", "ird no", "inland revenue", "tax number"),
    ),
)

INDIA = (
    Identifier(
        "IN_AADHAAR",
        "in_.aadhaar",
        alone=(r"[2-9]\d{3} \d{4} \d{4}", r"[2-9]\d{3}-\d{4}-\d{4}"),
        named=(r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}",),
        names=("aadhaar", "aadhar", "adhaar", "uidai", "uid", "आधार"),
    ),
    Identifier("IN_PAN", "in_.pan", alone=(r"[A-Z]{3}[ABCEFGHJLKPT][A-Z]\d{4}[A-Z]",), capitals=True),
    Identifier("IN_GSTIN", "in_.gstin", alone=(r"\d{2}[A-Z]{5}\d{4}[A-Z][0-9A-Z]Z[0-9A-Z]",)),
    Identifier(
        "IN_VOTER",
        "in_.epic",
        named=(r"[A-Z]{3}\d{7}",),
        names=("voter id", "voter", "epic", "elector", "election card"),
    ),
)

SOUTH_AFRICA = (Identifier("ZA_ID_NUMBER", "za.idnr", alone=(r"\d{13}", r"\d{6} \d{4} \d{2} ?\d")),)

ISRAEL = (
    Identifier(
        "IL_ID_NUMBER",
        "il.idnr",
        named=(r"\d{8,9}", r"\d{8}-\d"),
        names=("teudat zehut", "t.z.", "tz", "id number", "id no", "mispar zehut", "ת.ז.", "ת.ז", "תעודת זהות"),
    ),
)

SINGAPORE = (Identifier("SG_NRIC_FIN", "checks:singaporean", alone=(r"[STFGM]\d{7}[A-Z]",)),)

MALAYSIA = (
    Identifier(
        "MY_NRIC",
        "my.nric",  # a date and a place
        alone=(r"\d{6}-\d{2}-\d{4}",),
        named=(r"\d{12}",),
        names=("nric", "mykad", "ic", "ic no", "ic number", "kad pengenalan", "no kp", "k p"),
    ),
)

INDONESIA = (
    Identifier(
        "ID_NIK",
        "id.nik",
        named=(r"\d{16}",),
        names=("nik", "ktp", "e ktp", "no ktp", "nomor induk kependudukan"),
    ),
)

THAILAND = (
    Identifier(
        "TH_TNIN",
        "th.pin",
        alone=(r"[1-8]-\d{4}-\d{5}-\d{2}-\d", r"[1-8] \d{4} \d{5} \d{2} \d"),
        named=(r"[1-8]\d{12}",),
        names=("thai id", "national id", "tnin", "id card", "บัตรประชาชน"),
    ),
)

SOUTH_KOREA = (Identifier("KR_RRN", "kr.rrn", alone=(r"\d{6}-[0-9]\d{6}",)),)

JAPAN = (
    Identifier(
        "JP_MY_NUMBER",
        "jp.in_",
        named=(r"\d{4}[ -]?\d{4}[ -]?\d{4}",),
        names=("my number", "individual number", "kojin bango", "マイナンバー", "個人番号"),
    ),
)

CHINA = (Identifier("CN_RESIDENT_ID", "cn.ric", alone=(r"[1-9]\d{16}[0-9X]",)),)

IDENTIFIERS = {
    "ar": ARGENTINA, "au": AUSTRALIA, "br": BRAZIL, "ca": CANADA, "cl": CHILE, "cn": CHINA, "id": INDONESIA,
    "il": ISRAEL, "in": INDIA, "jp": JAPAN, "kr": SOUTH_KOREA, "mx": MEXICO, "my": MALAYSIA, "nz": NEW_ZEALAND,
    "sg": SINGAPORE, "th": THAILAND, "us": UNITED_STATES, "za": SOUTH_AFRICA,
}  # fmt: skip
