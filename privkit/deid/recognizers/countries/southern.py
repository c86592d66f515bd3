"""Numbers of southern and south-eastern Europe."""

from __future__ import annotations

from privkit.deid.recognizers.countries.identifier import Identifier

SPAIN = (
    Identifier("ES_NIF", "es.dni", alone=(r"\d{7,8}[- ]?[A-Z]", r"\d{2}[.]\d{3}[.]\d{3}[- ]?[A-Z]")),
    Identifier("ES_NIE", "es.nie", alone=(r"[XYZ][- ]?\d{7}[- ]?[A-Z]",)),
    Identifier(
        "ES_CIF",
        "es.cif",
        named=(r"[A-HJNP-SUVW][- ]?\d{7}[- ]?[0-9A-J]",),
        names=("cif", "nif", "c.i.f.", "n.i.f.", "identificación fiscal", "iva"),
        capitals=True,
    ),
    Identifier(
        "ES_SOCIAL_SECURITY",
        "checks:spanish_social_security",
        alone=(r"\d{2}[/]\d{8}[/]\d{2}", r"\d{2} \d{8} \d{2}"),
        named=(r"\d{2}[ /-]?\d{8}[ /-]?\d{2}", r"\d{2}[ /-]?\d{7}[ /-]?\d{2}"),
        names=(
            "seguridad social", "número de seguridad social", "n° seguridad social", "nss", "naf", "nuss",
            "número de afiliación", "afiliación", "social security",
        ),
    ),
    Identifier(
        "ES_VAT_ID", "es.nif", alone=(r"ES ?[A-Z]-?\d{7}-?[0-9A-Z]", r"ES ?\d{8}-?[A-Z]"), capitals=True
    ),
)  # fmt: skip

ITALY = (
    Identifier(
        "IT_FISCAL_CODE",
        "it.codicefiscale",
        # Digits may be letters where two people would have the same code.
        alone=(r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
               r"[A-Z]{3} [A-Z]{3} [0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2} [A-Z][0-9LMNP-V]{3}[A-Z]"),
    ),
    Identifier(
        "IT_VAT_CODE",
        "it.iva",
        alone=(r"IT ?\d{11}",),
        named=(r"\d{11}",),
        names=("partita iva", "p iva", "p. iva", "piva", "p.iva", "codice fiscale", "iva", "vat"),
    ),
)  # fmt: skip

PORTUGAL = (
    Identifier(
        "PT_NIF",
        "pt.nif",
        alone=(r"PT ?[1-9]\d{8}",),
        named=(r"[1-9]\d{2}[ .]?\d{3}[ .]?\d{3}",),
        names=("nif", "nipc", "contribuinte", "número de contribuinte", "n° contribuinte", "identificação fiscal"),
    ),
    Identifier(
        "PT_CITIZEN_CARD",
        "pt.cc",
        alone=(r"\d{8} \d ?[A-Z0-9]{2}\d",),
        named=(r"\d{8}[ -]?\d[ -]?[A-Z0-9]{2}\d",),
        names=("cartão de cidadão", "cartão do cidadão", "cc", "bilhete de identidade", "citizen card"),
        capitals=True,
    ),
    Identifier(
        "PT_SOCIAL_SECURITY",
        "checks:portuguese_social_security",
        named=(r"[12]\d{10}", r"[12]\d{2} \d{3} \d{3} \d{2}"),
        names=("niss", "segurança social", "número de segurança social", "social security"),
    ),
)

GREECE = (
    Identifier("GR_AMKA", "gr.amka", alone=(r"\d{11}",)),
    Identifier(
        "GR_TAX_ID",
        "gr.vat",
        alone=(r"EL ?\d{9}",),
        named=(r"\d{9}",),
        names=("αφμ", "α.φ.μ.", "afm", "a.f.m.", "vat"),
    ),
)

TURKEY = (Identifier("TR_NATIONAL_ID", "tr.tckimlik", alone=(r"[1-9]\d{10}", r"[1-9]\d{2} \d{3} \d{3} \d{2}")),)

ROMANIA = (Identifier("RO_CNP", "ro.cnp", alone=(r"[1-9]\d{12}",)),)

BULGARIA = (Identifier("BG_EGN", "bg.egn", alone=(r"\d{10}",)),)

CROATIA = (
    Identifier(
        "HR_OIB",
        "hr.oib",
        alone=(r"HR ?\d{11}",),
        named=(r"\d{11}",),
        names=("oib", "osobni identifikacijski broj"),
    ),
)

SLOVENIA = (Identifier("SI_EMSO", "si.emso", alone=(r"\d{13}",)),)

IDENTIFIERS = {
    "bg": BULGARIA, "es": SPAIN, "gr": GREECE, "hr": CROATIA, "it": ITALY, "pt": PORTUGAL, "ro": ROMANIA,
    "si": SLOVENIA, "tr": TURKEY,
}  # fmt: skip
