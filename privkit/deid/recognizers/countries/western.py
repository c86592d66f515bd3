"""Numbers of western Europe: Germany, Austria, Switzerland, France, Benelux, the United Kingdom and Ireland."""

from __future__ import annotations

from privkit.deid.recognizers.countries.identifier import Identifier

GERMANY = (
    Identifier(
        "DE_TAX_ID",
        "de.idnr",  # one in 270 of all eleven-digit numbers
        alone=(r"[1-9]\d{10}", r"[1-9]\d [0-9]{3} [0-9]{3} [0-9]{3}"),
        named=(r"[1-9]\d[ ./]?\d{3}[ ./]?\d{3}[ ./]?\d{3}",),
        names=(
            "steuer id", "steuer idnr", "steuer id nr", "steuerid", "idnr", "id nr", "steuernummer",
            "steueridentifikationsnummer", "steuer identifikationsnummer", "identifikationsnummer", "tin", "tax id",
        ),
    ),
    Identifier(
        "DE_TAX_NUMBER",
        "de.stnr",  # only the form can be checked
        named=(r"\d{2,3}[ /]\d{3,4}[ /]\d{4,5}", r"\d{10,11}", r"\d{13}"),
        names=("steuernummer", "steuer nr", "st nr", "stnr", "finanzamt", "tax number", "tax no"),
    ),
    Identifier(
        "DE_VAT_ID", "de.vat", alone=(r"DE ?[1-9]\d{8}", r"DE ?[1-9]\d{2}[ .]\d{3}[ .]\d{3}"), capitals=True
    ),
    Identifier(
        "DE_SOCIAL_SECURITY",
        "checks:german_pension",
        alone=(r"\d{8}[A-Z]\d{3}", r"\d{2} \d{6} [A-Z] \d{3}", r"\d{2} \d{2} \d{2} \d{2} [A-Z] \d{2} \d"),
        capitals=True,
    ),
    Identifier(
        "DE_HEALTH_INSURANCE",
        "checks:german_health",
        named=(r"[A-Z] ?\d{3} ?\d{3} ?\d{3}",),
        names=(
            "krankenversichertennummer", "krankenversicherungsnummer", "krankenversicherten nr", "versichertennummer",
            "versicherten nr", "versichertennr", "versicherungsnummer", "kvnr", "kv nr", "kv nummer", "egk",
            "gesundheitskarte", "krankenkasse", "krankenversicherung", "health insurance",
        ),
    ),
    Identifier(
        "DE_ID_CARD",
        "checks:german_document",
        named=(r"[CFGHJKLMNPRTVWXYZ0-9][CFGHJKLMNPRTVWXYZ0-9]{8}\d?",),
        names=(
            "personalausweis", "personalausweisnummer", "personalausweis nr", "ausweis", "ausweisnummer", "ausweis nr",
            "perso", "npa", "identity card", "id card",
        ),
        capitals=True,
    ),
    Identifier(
        "DE_PASSPORT",
        "checks:german_document",
        named=(r"[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}\d?",),
        names=("reisepass", "reisepassnummer", "reisepass nr", "pass nr", "passnummer", "passport"),
        capitals=True,
    ),
)  # fmt: skip

AUSTRIA = (
    Identifier(
        "AT_SOCIAL_SECURITY",
        "checks:austrian_insurance",
        alone=(r"[1-9]\d{3}[ -]\d{6}",),
        named=(r"[1-9]\d{3}[ /-]?\d{6}", r"[1-9]\d{3}[ /-]?\d{2}[ .]?\d{2}[ .]?\d{2}"),
        names=(
            "sozialversicherungsnummer", "sozialversicherungs nr", "versicherungsnummer", "sv nummer", "sv nr", "svnr",
            "vsnr", "vnr", "e card", "social security", "social insurance",
        ),
    ),
    Identifier(
        "AT_TAX_NUMBER",
        "at.tin",
        named=(r"\d{2}[ -]?\d{3}/?\d{4}",),
        names=("steuernummer", "steuer nr", "st nr", "stnr", "abgabenkontonummer", "finanzamt", "tax number"),
    ),
    Identifier("AT_VAT_ID", "at.uid", alone=(r"ATU ?\d{8}", r"AT U\d{8}")),
)  # fmt: skip

SWITZERLAND = (
    Identifier("CH_AHV", "ch.ssn", alone=(r"756[.]\d{4}[.]\d{4}[.]\d{2}", r"756\d{10}", r"756 \d{4} \d{4} \d{2}")),
    Identifier("CH_UID", "ch.uid", alone=(r"CHE[- ]?\d{3}[. ]?\d{3}[. ]?\d{3}",)),
)

FRANCE = (
    Identifier(
        "FR_NIR",
        "fr.nir",
        alone=(
            r"[1-478]\d{4}(?:\d{2}|2[AB])\d{8}",
            r"[1-478] \d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}",
            r"[1-478][.-]\d{2}[.-]\d{2}[.-](?:\d{2}|2[AB])[.-]\d{3}[.-]\d{3}[./ -]\d{2}",
        ),
        named=(r"[1-478][ .-]?\d{2}[ .-]?\d{2}[ .-]?(?:\d{2}|2[AB])[ .-]?\d{3}[ .-]?\d{3}(?:[ /.-]{0,3}| clé )\d{2}",),
        names=(
            "numéro de sécurité sociale", "n° de sécurité sociale", "sécurité sociale", "numéro de sécu", "nir",
            "n° sécu", "nss", "num sécu", "carte vitale", "assuré", "social security",
        ),
    ),
    Identifier("FR_TAX_ID", "fr.nif", alone=(r"[0-3]\d{12}", r"[0-3]\d \d{2} \d{3} \d{3} \d{3}")),
    Identifier(
        "FR_SIRET",
        "fr.siret",
        alone=(r"\d{3} \d{3} \d{3} \d{5}", r"\d{3}[.]\d{3}[.]\d{3}[.]\d{5}"),
        named=(r"\d{3}[ .]?\d{3}[ .]?\d{3}[ .]?\d{5}",),
        names=("siret", "n° siret", "numéro siret"),
    ),
    Identifier(
        "FR_SIREN",
        "fr.siren",
        named=(r"\d{3}[ .]?\d{3}[ .]?\d{3}",),
        names=("siren", "n° siren", "numéro siren", "rcs", "rne"),
    ),
    Identifier("FR_VAT_ID", "fr.tva", alone=(r"FR ?[0-9A-HJ-NP-Z]{2} ?\d{3} ?\d{3} ?\d{3}",)),
)  # fmt: skip

BELGIUM = (
    Identifier(
        "BE_NATIONAL_NUMBER",
        "be.ssn",
        alone=(r"\d{2}[.]?\d{2}[.]?\d{2}-?\d{3}[.]?\d{2}", r"\d{2} \d{2} \d{2} \d{3} \d{2}"),
        named=(r"\d{2}[ .-]?\d{2}[ .-]?\d{2}[ .-]?\d{3}[ .-]?\d{2}",),
        names=(
            "rijksregisternummer", "rijksregister", "rrn", "insz", "niss", "bisnummer", "bis", "numéro national",
            "n° national", "registre national", "numéro de registre national", "nationalregisternummer",
        ),
    ),
    Identifier("BE_VAT_ID", "be.vat", alone=(r"BE ?[01]?\d{3}[. ]?\d{3}[. ]?\d{3}",), capitals=True),
)  # fmt: skip

NETHERLANDS = (
    Identifier(
        "NL_BSN",
        "nl.bsn",
        named=(r"\d{8,9}", r"\d{3}[ .-]\d{3}[ .-]\d{3}", r"\d{4}[ .-]\d{2}[ .-]\d{3}"),
        names=(
            "bsn", "bsn nummer", "bsnnummer", "burgerservicenummer", "burger service nummer", "sofinummer",
            "sofi nummer", "sofi", "persoonsnummer", "citizen service number",
        ),
    ),
    Identifier("NL_VAT_ID", "nl.btw", alone=(r"NL ?\d{9}B\d{2}", r"NL ?\d{4}[.]\d{2}[.]\d{3}[.]B[.]\d{2}")),
    Identifier(
        "NL_ID_CARD",
        "nl.identiteitskaartnummer",
        named=(r"[A-NP-Z]{2}[A-NP-Z0-9]{6}\d",),
        names=(
            "identiteitskaart", "id kaart", "paspoort", "paspoortnummer", "documentnummer", "legitimatie",
            "id bewijs", "identiteitsbewijs", "rijbewijs", "passport", "id card", "identity card",
        ),
        capitals=True,
    ),
)  # fmt: skip

LUXEMBOURG = (Identifier("LU_VAT_ID", "lu.tva", alone=(r"LU ?\d{8}", r"LU ?\d{3} \d{3} \d{2}")),)

UNITED_KINGDOM = (
    Identifier(
        "UK_NHS",
        "gb.nhs",
        named=(r"\d{3}[ -]?\d{3}[ -]?\d{4}",),
        names=("nhs", "nhs number", "nhs no", "national health service", "health authority"),
    ),
    Identifier(
        "UK_UTR",
        "gb.utr",
        named=(r"\d{10}K?", r"\d{5} \d{5}K?"),
        names=("utr", "unique taxpayer reference", "taxpayer reference", "tax reference", "self assessment", "hmrc"),
    ),
    Identifier("UK_VAT_ID", "gb.vat", alone=(r"GB ?\d{9}", r"GB ?\d{3} \d{4} \d{2}")),
)

IRELAND = (
    Identifier(
        "IE_PPS",
        "ie.pps",
        alone=(r"\d{7}[A-W][ABHTWX]?",),
        capitals=True,
    ),
    Identifier("IE_VAT_ID", "ie.vat", alone=(r"IE ?\d{7}[A-W][A-I]?", r"IE ?\d[A-Z+*]\d{5}[A-W]")),
)

IDENTIFIERS = {
    "at": AUSTRIA, "be": BELGIUM, "ch": SWITZERLAND, "de": GERMANY, "fr": FRANCE, "gb": UNITED_KINGDOM, "ie": IRELAND,
    "lu": LUXEMBOURG, "nl": NETHERLANDS,
}  # fmt: skip
