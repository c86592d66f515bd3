"""Languages and countries: which recognizers they bring, what these find, what is refused, what is said."""

from __future__ import annotations

import json
import random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from pydantic import ValidationError

from privkit import deidentify, deidentify_text, scan
from privkit.deid.findings import Detector
from privkit.deid.recognizers import build_detector
from privkit.deid.recognizers.countries import localized_registry
from privkit.deid.recognizers.countries.words import words_of
from privkit.deid.recognizers.registry import default_registry
from privkit.deid.scripts import is_unread
from privkit.errors import PolicyError, UsageError
from privkit.model.languages import COUNTRIES, LANGUAGES, checked_countries, checked_language, countries_of
from privkit.model.pipeline import DeidentifyStep
from privkit.model.policy import Policy
from privkit.model.yamlfile import parse_yaml, write_yaml

TEXTS = {
    "de": (
        "Geburtsdatum 14.03.1985, Tel. 030/901820, mobil 0171 2345678, IP-Adresse 10.0.0.1, MAC 00:1B:44:11:3A:B7, "
        "BTC 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa, anna@beispiel.de, Karte 4111 1111 1111 1111, "
        "IBAN DE89 3704 0044 0532 0130 00, Steuer-ID 36 574 261 809",
        "DATE_TIME PHONE_NUMBER IP_ADDRESS MAC_ADDRESS CRYPTO EMAIL_ADDRESS CREDIT_CARD IBAN_CODE DE_TAX_ID",
    ),
    "fr": (
        "Né le 14/03/1985, tél. 01 42 68 53 00, portable 06 12 34 56 78, carte 4111111111111111, "
        "IBAN FR14 2004 1010 0505 0001 3M02 606, numéro de sécurité sociale 2 95 10 99 126 111 93, anne@exemple.fr",
        "DATE_TIME PHONE_NUMBER CREDIT_CARD IBAN_CODE FR_NIR EMAIL_ADDRESS",
    ),
    "es": (
        "Nacida el 14/03/1985, tel. 912 345 678, móvil 612 345 678, tarjeta 4111 1111 1111 1111, DNI 54362315K, "
        "IBAN ES91 2100 0418 4502 0005 1332, NSS 28 12345678 40, ana@ejemplo.es",
        "DATE_TIME PHONE_NUMBER CREDIT_CARD ES_NIF IBAN_CODE ES_SOCIAL_SECURITY EMAIL_ADDRESS",
    ),
    "it": (
        "Nato il 14/03/1985, tel. 06 698 12345, cell. 312 345 6789, carta 4111 1111 1111 1111, codice fiscale "
        "RCCMNL83S18D969H, P.IVA 00743110157, IBAN IT60 X054 2811 1010 0000 0123 456, anna@esempio.it",
        "DATE_TIME PHONE_NUMBER CREDIT_CARD IT_FISCAL_CODE IT_VAT_CODE IBAN_CODE EMAIL_ADDRESS",
    ),
    "nl": (
        "Geboren 14-03-1985, tel. 020 624 1111, mobiel 06 12345678, burgerservicenummer 111222333, "
        "rekening NL91 ABNA 0417 1643 00, creditcard 4111 1111 1111 1111, anna@voorbeeld.nl",
        "DATE_TIME PHONE_NUMBER NL_BSN IBAN_CODE CREDIT_CARD EMAIL_ADDRESS",
    ),
    "pl": (
        "Urodzony 14.03.1985, tel. 22 628 00 00, kom. 601 234 567, PESEL 44051401359, NIP 856-734-62-15",
        "DATE_TIME PHONE_NUMBER PL_PESEL PL_NIP",
    ),
    "sv": ("Född 1988-03-20, tel. 08-508 290 00, personnummer 880320-0016", "DATE_TIME PHONE_NUMBER SE_PERSONNUMMER"),
}


def entities(detector: Detector, text: str) -> set[str]:
    return {finding.entity for finding in detector.detect([text])[0] if finding.score >= 0.4}


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_everybodys_numbers_are_found_in_the_language(language: str) -> None:
    text, wanted = TEXTS[language]
    assert set(wanted.split()) <= entities(build_detector("patterns", language=language), text)


@pytest.mark.parametrize("language", ["de", "fr", "es", "it", "nl"])
def test_telephone_numbers_of_a_languages_countries_are_found_as_people_write_them(language: str) -> None:
    detector = build_detector("patterns", language=language)
    [word] = words_of(language)["PHONE_NUMBER"][:1]
    for country in countries_of(language):
        for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
            number = phonenumbers.example_number_for_type(country.upper(), kind)
            for form in (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164):
                written = phonenumbers.format_number(number, form)
                [found] = [f for f in detector.detect([f"{word}: {written}."])[0] if f.entity == "PHONE_NUMBER"][:1]
                assert found.end - found.start == len(written), (country, written)
                assert found.score > 0.7  # the word of the language counts


def test_a_word_of_the_language_supports_a_number() -> None:
    detector = build_detector("patterns", language="de")
    scores = [
        max(f.score for f in detector.detect([text])[0] if f.entity == "PHONE_NUMBER")
        for text in ("Telefonnummer 030 901820", "Anna 030 901820")
    ]
    assert scores[0] > scores[1]


def test_english_without_a_country_is_presidios_own_registry() -> None:
    def described(registry: object) -> list[tuple[object, ...]]:
        return [
            (type(each), each.context, getattr(each, "supported_regions", ()))
            for each in registry.recognizers  # type: ignore[attr-defined]
        ]

    assert described(localized_registry("en")) == described(default_registry("en"))


def test_what_presidios_registry_misses_in_other_languages_is_there() -> None:
    for language in ("de", "fr", "nl", "sv", "el"):
        classes = [type(each).__name__ for each in localized_registry(language).recognizers]
        assert "CreditCardRecognizer" in classes
        assert "MedicalLicenseRecognizer" not in classes  # of the United States
    # Nothing stands twice.
    for language in ("es", "it", "pl"):
        found = [each.supported_entities[0] for each in localized_registry(language).recognizers]
        assert len(found) == len(set(found)), language


def test_countries_are_chosen_apart_from_the_language() -> None:
    text = "Steuer-ID 36 574 261 809, SSN 123-45-6780, NHS number 943 476 5870, National Insurance AB 12 34 56 C"
    english = entities(build_detector("patterns"), text)
    assert {"US_SSN", "UK_NHS"} <= english
    assert "DE_TAX_ID" not in english
    assert {"DE_TAX_ID"} == entities(build_detector("patterns", countries=("de",)), text) - {"PHONE_NUMBER"}
    british = entities(build_detector("patterns", countries=("gb",)), text)
    assert {"UK_NHS", "UK_NINO"} <= british
    assert not {"US_SSN", "DE_TAX_ID"} & british
    assert "US_SSN" in entities(build_detector("patterns", countries=("gb", "us")), text)


def test_the_stock_check_of_nhs_numbers_is_not_the_countrys() -> None:
    choice = random.Random(7)
    texts = ["call " + "".join(choice.choices("0123456789", k=10)) for _ in range(500)]
    presidios = build_detector("spacy")
    stock = sum("UK_NHS" in entities(presidios, text) for text in texts)
    ours = build_detector("patterns", countries=("gb",))
    assert stock > 0
    assert not any("UK_NHS" in entities(ours, text) for text in texts)


def test_unknown_codes_are_refused_and_the_known_ones_listed() -> None:
    for language in ("qq", "deu", "", "ja"):
        with pytest.raises(ValueError, match=r"there are af, .* de, .* zh$"):
            checked_language(language)
    with pytest.raises(ValueError, match=r"there are ar, at, .* za$"):
        checked_countries(["de", "xx"])
    assert checked_countries(["UK", "gb", "DE"]) == ("gb", "de")
    assert {country for language in LANGUAGES for country in countries_of(language)} <= set(COUNTRIES)
    with pytest.raises(UsageError, match=r"--language qq: .* there are"):
        deidentify_text("x", language="qq")
    with pytest.raises(UsageError, match=r"--country de xx: .* there are"):
        scan([{"a": "b"}], country=["de", "xx"])


def test_a_policy_names_them_and_a_file_keeps_them() -> None:
    policy = parse_yaml("language: nl\ncountry: [NL, be, no]\n", Policy)
    assert (policy.language, policy.country) == ("nl", ("nl", "be", "no"))
    assert parse_yaml(write_yaml(policy), Policy) == policy
    for text, told in (
        ("language: qq", r"line 1: language: not a language"),
        ("name: x\ncountry: [xx]", r"line 2: country: not a country"),
        ("country: de", r"a list is wanted"),
    ):
        with pytest.raises(PolicyError, match=told):
            parse_yaml(text, Policy)


def test_an_option_outweighs_the_policy() -> None:
    text = "numéro 36574261809 et 295109912611193"

    def found(**options: object) -> set[str]:
        result = deidentify_text(text, policy=Policy(language="de"), detector="patterns", **options)
        return {finding.entity for finding in result.findings} - {"PHONE_NUMBER"}

    assert found() == {"DE_TAX_ID"}
    assert found(language="fr") == {"FR_NIR"}
    assert found(country="fr") == {"FR_NIR"}
    assert found(country=["fr", "de"]) == {"DE_TAX_ID", "FR_NIR"}


def test_a_column_of_national_numbers_is_an_identifier_where_the_country_is_chosen() -> None:
    from stdnum.nl import bsn

    numbers = [n for n in range(111222300, 111225000) if bsn.is_valid(str(n))][:40]
    rows = [{"sofinr": number, "sofi nummer": number, "bedrag": number + 1} for number in numbers]
    roles = {row.name: (row.role, row.entity) for row in deidentify(rows, language="nl", dry_run=True).decisions}
    assert roles["sofi nummer"] == ("identifier", "NL_BSN")
    assert roles["bedrag"][0] == "other"
    english = {row.name: row.role for row in deidentify(rows, detector="patterns", dry_run=True).decisions}
    assert english["sofi nummer"] == "other"


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("", False),
        ("2024-01-01 12:00", False),
        ("Łódź, Ångström, İstanbul, Straße, ﬁn, Đặng", False),
        ("Ω = 5, μ-receptor, β-blocker for Anna", False),
        ("Anna Иванова was seen today", False),
        ("Anna Иван", True),
        ("Позвоните Анне", True),
        ("Ο ασθενής Γιώργος", True),
        ("المريض محمد", True),
        ("החולה משה", True),
        ("患者王伟", True),
        ("ひろし", True),
        ("환자 김철수", True),
        ("रोगी राम", True),
        ("ผู้ป่วย", True),
        ("ab β", False),  # a third, not more
    ],
)
def test_which_texts_are_in_a_script_that_nobody_reads(text: str, unread: bool) -> None:
    assert is_unread(text) is unread


def test_unread_texts_are_counted_by_column_and_said_in_every_form(tmp_path) -> None:
    secret = "Позвоните Анне"
    rows = [{"note": f"{secret} сегодня {i}", "remark": f"seen on the ward by somebody, number {i}"} for i in range(7)]
    rows += [{"note": "nothing of note on the ward today", "remark": "the same as before, see the other notes"}] * 3
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    options = {"detector": "patterns", "columns": {"note": "free_text", "remark": "free_text"}}
    report = tmp_path / "report.html"
    result = deidentify(source, output, report=report, **options).report
    assert result is not None
    assert {name: column.cells_unread for name, column in result.columns.items()} == {"note": 7, "remark": 0}
    [warning] = [each for each in result.warnings if "script" in each]
    assert warning.startswith("note: 7 texts are in a script other than Latin")
    page = report.read_text(encoding="utf-8")
    assert warning in page
    assert "Анне" not in page + result.model_dump_json()
    policy = Policy(columns={"note": {"role": "free_text"}, "remark": {"role": "free_text"}})
    scanned = scan(source, policy=policy, detector="patterns")
    assert scanned.columns["note"].cells_unread == 7
    assert scanned.warnings == [warning]
    assert not scan([{"note": "Anna was here and there"}], policy=policy, detector="patterns").warnings


def test_a_pipelines_step_is_checked_when_it_is_read() -> None:
    step = DeidentifyStep.model_validate({"output": "o.csv", "language": "DE", "country": ["at", "no"]})
    assert (step.language, step.country) == ("de", ("at", "no"))
    for wrong in ({"language": "qq"}, {"country": ["xx"]}):
        with pytest.raises(ValidationError, match="there are"):
            DeidentifyStep.model_validate({"output": "o.csv", **wrong})
