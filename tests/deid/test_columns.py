"""Roles and entities of columns: a table of realistic columns, traps among them, and properties of numbers."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.deid.columns import Decision, decide, decide_leaf, identifier_in
from privkit.deid.columns.names import hint_of, words_of
from privkit.deid.columns.patterns import is_bitcoin_or_ether, is_card, is_iban, is_nhs, is_ssn
from privkit.deid.findings import Finding
from privkit.deid.recognizers import build_detector
from privkit.io.frames import ArrowFrame, RecordFrame
from privkit.model.policy import DetectorName
from privkit.model.report import ModelInfo


class Flagging:
    """A detector that knows some texts by heart, as a model knows names."""

    name: DetectorName = "core"
    models: tuple[ModelInfo, ...] = ()

    def __init__(self, **known: Sequence[str]) -> None:
        self.known = known
        self.seen = 0

    def detect(self, texts: Sequence[str]) -> list[list[Finding]]:
        self.seen += len(texts)
        return [
            [
                Finding(text.index(word), text.index(word) + len(word), entity, 0.85)
                for entity, words in self.known.items()
                for word in words
                if word in text
            ]
            for text in texts
        ]


def column(
    name: str, cells: Sequence[object], detector: Flagging | None = None, type_: pa.DataType | None = None
) -> Decision:
    return decide_leaf(name, pa.array(cells, type_), detector)


def cycle(*cells: object, times: int = 60) -> list[object]:
    return list(itertools.islice(itertools.cycle(cells), times))


fake = Faker("en_US")
fake.seed_instance(7)
NAMES = [f"{fake.first_name()} {fake.last_name()}" for _ in range(60)]
NOTES = [f"Spoke with {n} about the delivery, will call back on Monday." for n in NAMES]
CODES = [f"AB{i * 7919 % 100003:06d}" for i in range(60)]
WHOLE = [100_000 + i * 7919 for i in range(60)]
DATES = [(dt.date(1950, 1, 1) + dt.timedelta(days=97 * i)).isoformat() for i in range(60)]
SSNS = [f"{100 + i}-{10 + i}-{1000 + i}" for i in range(60)]
CARDS = ["4111111111111111", "5500000000000004", "340000000000009", "30000000000004", "6011000000000004"]
WORDS = cycle("red", "green", "blue")
PRODUCTS = [
    f"{a} {b}"
    for a in ("Wireless", "Wooden", "Folding", "Steel", "Cotton")
    for b in ("Mouse", "Table", "Chair", "Lamp", "Shelf", "Basket")
]
PLACES = ["Springfield", "Shelbyville", "Ogdenville", "North Haverbrook", "Brockway", "Capital City"]
ID, TEXT, QUASI, OTHER = "identifier", "free_text", "quasi", "other"

TABLE: list[tuple[str, Sequence[object], str, str | None]] = [
    # Identifiers by value, whatever the header.
    ("c1", [f"user{i}@example.org" for i in range(30)], ID, "EMAIL_ADDRESS"),
    ("c1", SSNS, ID, "US_SSN"),
    ("phone", SSNS, ID, "US_SSN"),
    ("c1", ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "FR1420041010050500013M02606"], ID, "IBAN_CODE"),
    ("c1", CARDS, ID, "CREDIT_CARD"),
    ("c1", ["4111 1111 1111 1111", "5500-0000-0000-0004", "3400 000000 00009"], ID, "CREDIT_CARD"),
    ("c1", ["1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"], ID, "CRYPTO"),
    ("c1", ["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b8", "001b.4411.3ab9"], ID, "MAC_ADDRESS"),
    ("version", ["192.168.0.1", "10.0.0.7", "2001:db8::1"], ID, "IP_ADDRESS"),
    ("c1", ["https://example.org/u/1", "http://example.org/u/2", "www.example.org/u/3"], ID, "URL"),
    ("c1", ["943 476 5919", "943-476-5919", "401 023 2137"], ID, "UK_NHS"),
    ("c1", ["6fa459ea-ee8a-3ca4-894e-db77e160355e", "16fd2706-8baf-433b-82eb-8c7fada847da"], ID, "ID"),
    ("c1", ["+44 20 7946 0958", "+1-555-123-4567x123", "(555)123-4567", "555.123.4567"], ID, "PHONE_NUMBER"),
    ("c1", [f"+49 30 {i}4567" for i in range(100, 130)] + [f"555{i}4567" for i in range(100, 130)], ID, "PHONE_NUMBER"),
    ("contact", ["a@example.org", "b@example.org", "(555) 123-4567", "555-123-9999"], ID, "ID"),
    ("c1", ["AB1234"] * 0 + CODES, ID, "ID"),
    ("c1", [f"{i * 7919 % 100003:07d}" for i in range(60)], ID, "ID"),
    ("last_name_hash", [f"{i * 2654435761 % 2**32:08x}9f" for i in range(1, 61)], ID, "ID"),
    # Identifiers by name.
    ("name", NAMES, ID, "PERSON"),
    ("Name", ["Maria Garcia"], ID, "PERSON"),
    ("name", ["Chloé Dupont", "Søren Kjær", "Łukasz Wójcik"], ID, "PERSON"),
    ("姓名", ["王伟", "李娜", "张敏"], ID, "PERSON"),
    ("氏名", ["山田太郎", "佐藤花子"], ID, "PERSON"),
    ("имя", ["Анна", "Борис", "Вера"], ID, "PERSON"),
    ("الاسم", ["محمد علي", "فاطمة حسن"], ID, "PERSON"),
    ("patient.name", NAMES, ID, "PERSON"),
    ("PatientName", cycle("maria garcia", "JOHN SMITH", "O'Neil, Pat"), ID, "PERSON"),
    ("first_name", cycle("Anna", "Bob", "May", "June"), ID, "PERSON"),
    ("apellido", ["García", "Núñez"], ID, "PERSON"),
    ("Nachname", ["Müller", "von der Heide"], ID, "PERSON"),
    ("visits[].doctor", cycle("Dr. Patel", "Dr. Okafor", "Dr. Lindqvist"), ID, "PERSON"),
    ("created_by", ["Ann Lee", "Bo Chen", "Cy Diaz"], ID, "PERSON"),
    ("patient", CODES, ID, "ID"),
    ("email", ["a@example.org", "unknown", "b@example.org", "none given"], ID, "EMAIL_ADDRESS"),
    ("email", ["j***@example.org", "k***@example.org"], ID, "EMAIL_ADDRESS"),
    ("Telefon-Nr.", ["030 1234567", "030/7654321", "5551234567"], ID, "PHONE_NUMBER"),
    ("mobile", WHOLE, ID, "PHONE_NUMBER"),
    ("fax", ["555 0100", "555 0101"], ID, "PHONE_NUMBER"),
    ("ssn", [f"{100 + i}{10 + i}{1000 + i}" for i in range(60)], ID, "US_SSN"),
    ("ssn", ["***-**-1234", "***-**-9876"], ID, "US_SSN"),
    ("mrn", WHOLE, ID, "ID"),
    ("mrn", [1001.0, None, 1002.0], ID, "ID"),
    ("mrn", ["1001.0", "1002.0"], ID, "ID"),
    ("patient_id", cycle(*range(1, 30)), ID, "ID"),
    ("id", ["1"], ID, "ID"),
    ("id", ["1", "2", "3"], ID, "ID"),
    ("uuid", ["x1", "x2"], ID, "ID"),
    ("MedicalRecordNumber", ["123-456-7890", "223-456-7890"], ID, "ID"),
    ("accountNumber", ["12345678", "87654321"], ID, "US_BANK_NUMBER"),
    ("passport_no", ["C01X00T47", "P1234567"], ID, "US_PASSPORT"),
    ("driver_license", ["D1234567", "X7654321"], ID, "US_DRIVER_LICENSE"),
    ("licence_plate", ["AB12 CDE", "M-XY 123"], ID, "ID"),
    ("vin", ["1M8GDM9AXKP042788"], ID, "ID"),
    ("insurance_no", ["A123", "B456"], ID, "ID"),
    ("device_serial", ["SN-0001", "SN-0002"], ID, "ID"),
    ("username", ["kitty", "rover", "max"], ID, "ID"),
    ("address", ["12 High St", "Flat 3, Mill Lane"], ID, "LOCATION"),
    ("Straße", ["Hauptstraße 5", "Am Markt 1"], ID, "LOCATION"),
    ("ip", ["10.0.0.1"], ID, "IP_ADDRESS"),
    ("website", ["example.org/me", "example.org/you"], ID, "URL"),
    # Quasi-identifiers.
    ("dob", DATES, QUASI, "DATE_OF_BIRTH"),
    ("geburtsdatum", ["31.12.1980", "01.02.1999"], QUASI, "DATE_OF_BIRTH"),
    ("date_naissance", ["31/12/1980"], QUASI, "DATE_OF_BIRTH"),
    ("birth_year", [1950, 1960, 1970], QUASI, "DATE_OF_BIRTH"),
    ("birth_date", [19500131, 19601231], QUASI, "DATE_OF_BIRTH"),
    ("DateOfBirth", [dt.date(1980, 1, 1)], QUASI, "DATE_OF_BIRTH"),
    ("age", [34, 51, 90], QUASI, "AGE"),
    ("age", ["34", "n/a", "51"], QUASI, "AGE"),
    ("age", ["34 years", "6 months"], QUASI, "AGE"),
    ("Alter", [34.5, None], QUASI, "AGE"),
    ("zip", ["02139", "10001"], QUASI, "POSTCODE"),
    ("zip", [2139, 10001], QUASI, "POSTCODE"),
    ("código postal", ["28001", "08002"], QUASI, "POSTCODE"),
    ("c1", ["SW1A 1AA", "M1 1AE", "EC1A 1BB"], QUASI, "POSTCODE"),
    ("c1", ["K1A 0B1", "V6B 4Y8"], QUASI, "POSTCODE"),
    ("c1", ["02139-1234", "10001-0001"], QUASI, "POSTCODE"),
    ("city", PLACES, QUASI, "LOCATION"),
    ("address.city", cycle("Berlin", "Bonn"), QUASI, "LOCATION"),
    ("birthplace", ["Oslo"], QUASI, "LOCATION"),
    ("county", ["Kent", "Essex"], QUASI, "LOCATION"),
    ("state", cycle("CA", "NY"), QUASI, "COARSE_LOCATION"),
    ("country_code", ["DE", "FR"], QUASI, "COARSE_LOCATION"),
    ("latitude", [52.51, -13.4], QUASI, "COORDINATES"),
    ("c1", ["52.51627, 13.37769", "48.85837, 2.29448"], QUASI, "COORDINATES"),
    ("employer", ["Acme Ltd", "Globex"], QUASI, "ORGANIZATION"),
    # Free text.
    ("notes", NOTES, TEXT, None),
    ("c1", NOTES, TEXT, None),
    ("comment", ["ok"], TEXT, None),
    ("備考", ["昨日田中さんに電話しました。来週また連絡します。"], TEXT, None),
    ("c1", [f"昨日の午後に{n}番の患者さんから電話があり来週また連絡します" for n in range(10)], TEXT, None),
    ("description", ["Fell off a ladder", "Hit by a ball", "Cut while cooking"], TEXT, None),
    ("name", [n * 4 for n in NOTES], TEXT, None),
    ("status", cycle("open", "closed", "see mail to ann@example.org"), TEXT, None),
    # Kept.
    ("state", cycle("open", "in_progress", "closed", "pending"), OTHER, None),
    ("c1", [f"{i}:30" for i in range(10, 20)], OTHER, "DATE_TIME"),
    ("name", cycle("Widget", "Gadget", "Gizmo"), OTHER, None),
    ("name", list(range(30)), OTHER, None),
    ("name", cycle("true", "false"), OTHER, None),
    ("name", ["Model S21 5G", "Model X30 4K", "Bolt M8 12mm"], OTHER, None),
    ("name", PRODUCTS, OTHER, None),
    ("product_name", PRODUCTS, OTHER, None),
    ("month", cycle("May", "June", "April"), OTHER, "DATE_TIME"),
    ("c1", ["January", "February", "March", "April", "May", "June", "July", "August"], OTHER, "DATE_TIME"),
    ("ward", cycle("Jordan wing", "Victoria ward", "East"), OTHER, None),
    ("c1", cycle("Jordan wing", "Victoria ward", "May"), OTHER, None),
    ("colour", WORDS, OTHER, None),
    ("c1", WORDS, OTHER, None),
    ("phone", cycle("yes", "no"), OTHER, None),
    ("phone_model", cycle("Pixel 8", "iPhone 15"), OTHER, None),
    ("email_sent", [True, False, None], OTHER, None),
    ("email_opt_in", cycle("Y", "N"), OTHER, None),
    ("email_sent_at", [f"2024-01-{d:02d} 10:00:00" for d in range(1, 29)], OTHER, "DATE_TIME"),
    ("address_count", list(range(20)), OTHER, None),
    ("address_type", cycle("home", "work"), OTHER, None),
    ("name_count", [1, 2, 3], OTHER, None),
    ("city_tax", ["1.50", "2.75"], OTHER, None),
    ("num_patients", [12, 40], OTHER, None),
    ("patients", [12, 40, 12, 7], OTHER, None),
    ("age_group", cycle("30-39", "40-49", "50-59"), OTHER, None),
    ("ward_id", [i % 12 for i in range(1000)], OTHER, None),
    ("ward_id", [f"W{i % 12}" for i in range(1000)], OTHER, None),
    ("license", cycle("MIT", "Apache", "GPL"), OTHER, None),
    ("account_type", cycle("gold", "silver"), OTHER, None),
    ("amount", [12.5, 13.75], OTHER, None),
    ("amount", ["$12.50", "1,234.00", "-5", "<0.1", "12 %"], OTHER, None),
    ("salary", WHOLE, OTHER, None),
    ("year", ["1985", "1990"], OTHER, None),
    ("blood_pressure", [f"{110 + i}/{70 + i % 9}" for i in range(40)], OTHER, None),
    ("weight", [f"{i}.5 kg" for i in range(50, 90)], OTHER, None),
    ("admission_date", DATES, OTHER, "DATE_TIME"),
    ("c1", ["01/02/2024", "03/04/2024"], OTHER, "DATE_TIME"),
    ("time", ["12:30", "13:45:10"], OTHER, "DATE_TIME"),
    ("updated", [dt.datetime(2024, 1, 1)], OTHER, "DATE_TIME"),
    ("gender", cycle("F", "M"), OTHER, None),
    ("smoker", cycle("yes", "no"), OTHER, None),
    ("lineage", list(range(30)), OTHER, None),
    ("page", list(range(30)), OTHER, None),
    ("birth_weight", [3200, 2900], OTHER, None),
    ("epoch", [1_700_000_000_000 + i * 977 for i in range(60)], OTHER, "DATE_TIME"),
]


@pytest.mark.parametrize(
    ("name", "cells", "role", "entity"), TABLE, ids=[f"{i}-{row[0]}" for i, row in enumerate(TABLE)]
)
def test_role_and_entity(name: str, cells: Sequence[object], role: str, entity: str | None) -> None:
    decision = column(name, cells)
    assert (decision.role, decision.entity) == (role, entity), decision


@pytest.mark.parametrize(
    ("name", "cells", "role", "entity"), TABLE, ids=[f"{i}-{row[0]}" for i, row in enumerate(TABLE)]
)
def test_text_of_a_number_is_decided_as_the_number(
    name: str, cells: Sequence[object], role: str, entity: str | None
) -> None:
    """A CSV file has only texts, JSON and Parquet have numbers: the decision is the same."""
    if all(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in cells if cell is not None):
        decision = column(name, [None if cell is None else str(cell) for cell in cells])
        assert (decision.role, decision.entity) == (role, entity), decision
    if all(isinstance(cell, dt.date) for cell in cells):
        decision = column(name, [str(cell) for cell in cells])
        assert (decision.role, decision.entity) == (role, entity), decision


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("id", ["1"]),
        ("email", ["a@example.org"]),
        ("ssn", ["123-45-6789"]),
        ("dob", ["1980-01-31"]),
        ("name", ["Al Bo"]),
    ],
)
@pytest.mark.parametrize("rows", [1, 3])
def test_few_rows_are_enough_where_the_name_says_it(name: str, cells: list[str], rows: int) -> None:
    assert column(name, cells * rows).role in ("identifier", "quasi")


def test_card_numbers_among_which_some_are_of_another_length() -> None:
    cells = [*CARDS, "501800000009", "676700000005"]
    for given_cells in (cells, [int(cell) for cell in cells]):
        assert column("c1", given_cells).entity == "CREDIT_CARD"


@pytest.mark.parametrize("locale", ["en_GB", "pl_PL", "it_IT", "ja_JP", "fr_FR", "de_DE", "hi_IN"])
def test_telephones_of_many_countries_under_a_header_that_says_nothing(locale: str) -> None:
    local = Faker(locale)
    local.seed_instance(5)
    assert column("c1", [local.phone_number() for _ in range(80)]).entity == "PHONE_NUMBER"


@pytest.mark.parametrize(
    "locale", ["en_US", "de_DE", "fr_FR", "ru_RU", "ja_JP", "zh_CN", "el_GR", "ar_AA", "hi_IN", "ko_KR"]
)
def test_names_of_many_scripts_under_a_header_that_says_nothing(locale: str) -> None:
    local = Faker(locale)
    local.seed_instance(5)
    assert column("c1", [local.name() for _ in range(80)]).entity == "PERSON"
    for other in (local.city, local.job, local.company, local.word):
        decision = column("c1", [other() for _ in range(80)])
        assert decision.role in ("other", "free_text"), other


def test_addresses_under_a_header_that_says_nothing() -> None:
    for locale in ("en_US", "de_DE", "fr_FR"):
        local = Faker(locale)
        local.seed_instance(5)
        decision = column("c1", [local.street_address() for _ in range(120)])
        assert (decision.role, decision.entity) == ("identifier", "LOCATION"), locale


def test_cells_that_a_model_half_knows_are_not_left_in_free_text() -> None:
    cells = [
        f"{a}{b}"
        for a in ("Spring", "Shelby", "Ogden", "Brock", "Haver")
        for b in ("field", "ville", "way", "brook", "ton")
    ]
    decision = column("c1", cells, Flagging(LOCATION=cells[:10], PERSON=cells[10:12]))
    assert (decision.role, decision.entity) == ("quasi", "LOCATION")


def test_a_model_that_takes_products_for_people() -> None:
    model = Flagging(PERSON=PRODUCTS[:18])
    assert column("product_name", PRODUCTS, model).role == "other"
    assert column("c1", PRODUCTS, model).role == "free_text"


def test_codes_that_repeat_are_not_shown_to_a_model() -> None:
    cells = [f"AB-{i % 120}" for i in range(600)]
    model = Flagging(PERSON=["AB"], LOCATION=cells)
    decision = column("sku", cells, model)
    assert (decision.role, decision.certain) == ("other", False)
    assert column("sku", cells, Flagging(EMPLOYEE=sorted(set(cells), key=len, reverse=True))).entity == "EMPLOYEE"


def test_names_and_addresses_in_one_column() -> None:
    people = ["Xo Abruk", "Qwer Domsy", "Zub Ekwil", "Vlim Fosto", "Tro Grimp"]
    mails = [f"u{i}@example.org" for i in range(5)]
    decision = column("c1", people + mails, Flagging(PERSON=people, EMAIL_ADDRESS=mails))
    assert (decision.role, decision.entity) == ("identifier", "ID")


@pytest.mark.parametrize(
    "type_",
    [
        pa.int8(), pa.uint64(), pa.float32(), pa.decimal128(30, 2), pa.decimal256(40, 2), pa.date64(),
        pa.timestamp("ns", "UTC"), pa.time64("us"), pa.duration("s"), pa.bool_(), pa.large_string(), pa.string_view(),
        pa.binary(), pa.null(),
    ],
    ids=str,
)  # fmt: skip
def test_every_type_is_decided_and_watched(type_: pa.DataType) -> None:
    for cells in (pa.nulls(3, type_), pa.array([], type_)):
        assert decide_leaf("c1", cells).role == "other"
        assert identifier_in(cells) is None
    if type_ in (pa.string_view(), pa.null(), pa.binary(), pa.large_string()):
        return
    cells = pa.array([1, 2, 3, 4, 5, 6], pa.int64()).cast(pa.bool_() if pa.types.is_boolean(type_) else pa.int64())
    if pa.types.is_temporal(type_):
        cells = pa.array([86_400_000 * (i + 1) if type_ == pa.date64() else i for i in range(6)], pa.int64()).cast(
            type_
        )
    elif not pa.types.is_boolean(type_):
        cells = cells.cast(type_)
    decision = decide_leaf("c1", cells)
    assert (decision.role, decision.certain) == ("other", True)
    assert identifier_in(cells) is None


# With a model ----------------------------------------------------------------------------------------------------


def test_model_finds_names_under_a_header_that_says_nothing() -> None:
    strange = [
        f"{a} {b}"
        for a in ("Xolani", "Qwerlo", "Zubrek", "Vlimda", "Trosk")
        for b in ("Abruk", "Domsy", "Ekwil", "Fosto", "Grimp")
    ]
    model = Flagging(PERSON=strange[:20])
    decision = column("c1", strange, model)
    assert (decision.role, decision.entity, decision.share) == ("identifier", "PERSON", 0.8)
    assert column("c1", strange).role == "other"
    assert not column("c1", strange).certain


def test_lists_of_names_stand_in_for_the_model() -> None:
    assert column("c1", NAMES).entity == "PERSON"
    assert column("c1", [name.upper() for name in NAMES]).entity == "PERSON"
    assert column("c1", [", ".join(name.split()[::-1]) for name in NAMES]).entity == "PERSON"
    assert column("c1", PRODUCTS).role == "other"


def test_model_finds_places() -> None:
    places = [
        f"{a}{b}"
        for a in ("Spring", "Shelby", "Ogden", "Brock", "Haver")
        for b in ("field", "ville", "way", "brook", "ton")
    ]
    decision = column("c1", places, Flagging(LOCATION=places[:18]))
    assert (decision.role, decision.entity) == ("quasi", "LOCATION")


@pytest.mark.parametrize(
    "cells",
    [
        cycle("May", "June", "Jordan wing"),
        cycle("Victoria", "Paris", "London", "Jordan"),
        cycle("Jordan Wing", "Victoria Ward", "Nelson House"),
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"],
        cycle("Amber", "Rose", "Violet", "Olive"),
    ],
)
def test_categories_stay_whatever_the_model_says(cells: list[str]) -> None:
    words = sorted(set(cells))
    assert column("c1", cells, Flagging(PERSON=words, LOCATION=words)).role == "other"


def test_few_doctors_who_repeat_are_people() -> None:
    cells = cycle("Amir Haddad", "Lena Vogt", "Tom Osei", "Ida Lund", times=200)
    model = Flagging(PERSON=sorted(set(cells)))
    assert column("c1", cells, model).entity == "PERSON"


def test_category_that_looks_like_people_is_kept_but_not_certain() -> None:
    cells = cycle("Red Fox", "Grey Owl", "Tom Osei", "Ida Lund")
    decision = column("c1", cells, Flagging(PERSON=["Tom Osei", "Ida Lund"]))
    assert decision.role == "other"
    assert not decision.certain
    assert decision.warnings


def test_names_in_few_of_the_short_texts_make_it_free_text() -> None:
    cells = [f"Crate of type {i}" for i in range(40)] + [f"For Ottokar {i}" for i in range(10)]
    assert column("c1", cells, Flagging(PERSON=["Ottokar"])).role == "free_text"


def test_custom_recognizer_decides() -> None:
    cells = [f"staff {word}" for word in ("ab", "cd", "ef", "gh", "ij", "kl")]
    decision = column("c1", cells, Flagging(EMPLOYEE=cells))
    assert (decision.role, decision.entity) == ("identifier", "EMPLOYEE")


def test_model_never_sees_numbers_and_few_values() -> None:
    model = Flagging()
    for cells in (WHOLE, [str(n) for n in WHOLE], DATES, [1.5, 2.5], WORDS, SSNS):
        column("c1", cells, model)
    assert model.seen == 0
    column("c1", [f"word{'x' * i}y" for i in range(900)], model)
    assert model.seen <= 600


# What comes with a decision ----------------------------------------------------------------------------------------


def test_format_of_dates_and_its_doubt() -> None:
    assert column("dob", ["31.12.1980", "01.02.1999"]).format == "%d.%m.%Y"
    clear = column("dob", ["12/31/1980", "01/02/1999"])
    assert (clear.format, clear.warnings, clear.hints) == ("%m/%d/%Y", (), {"format": "%m/%d/%Y"})
    doubtful = column("dob", ["01/02/1980", "03/04/1999"])
    assert doubtful.format is not None
    assert any("ambiguous" in warning for warning in doubtful.warnings)
    assert column("birth_date", ["19801231", "19990102"]).format == "%Y%m%d"
    assert column("birth_year", ["1980", "1999"]).format == "%Y"


@pytest.mark.parametrize(
    ("name", "cells", "certain"),
    [
        ("c1", [1, 2, 3], True),
        ("c1", [1.5, 2.25], True),
        ("c1", [True, False], True),
        ("c1", WORDS, True),
        ("c1", DATES, True),
        ("c1", ["yes"], True),
        ("c1", WHOLE, False),
        ("c1", ["4711001", "4711002"], False),
        ("c1", ["kestrel", "plover", "dunnock"], False),
        ("name", PRODUCTS, False),
        ("age_group", cycle("30-39", "90-99"), False),
        ("c1", [None, None], False),
    ],
)
def test_certain(name: str, cells: Sequence[object], certain: bool) -> None:
    decision = column(name, cells)
    assert (decision.role, decision.certain) == ("other", certain)


def test_opaque_values_are_kept_with_a_warning() -> None:
    decision = column("photo", [b"\x00\x01"])
    assert (decision.role, decision.certain) == ("other", False)
    assert decision.warnings


@pytest.mark.parametrize(
    ("name", "type_", "role", "entity"),
    [
        ("ssn", pa.string(), "identifier", "US_SSN"),
        ("notes", pa.string(), "free_text", None),
        ("dob", pa.string(), "quasi", "DATE_OF_BIRTH"),
        ("dob", pa.date32(), "quasi", "DATE_OF_BIRTH"),
        ("mrn", pa.int64(), "identifier", "ID"),
        ("name", pa.int64(), "other", None),
        ("name", pa.null(), "identifier", "PERSON"),
        ("misc", pa.string(), "other", None),
    ],
)
def test_empty_columns_go_by_their_name(name: str, type_: pa.DataType, role: str, entity: str | None) -> None:
    for cells in ([], [None, None]):
        decision = column(name, cells, type_=type_)
        assert (decision.role, decision.entity) == (role, entity)
    if pa.types.is_string(type_):
        assert column(name, ["", "  ", "N/A"], type_=type_).role == role


def test_warnings_and_evidence_hold_no_value() -> None:
    for name, cells, _, _ in TABLE:
        decision = column(name, cells)
        said = " ".join((decision.evidence, *decision.warnings))
        assert not [cell for cell in cells if isinstance(cell, str) and len(cell) > 4 and cell in said]


# Samples of frames --------------------------------------------------------------------------------------------------


def test_columns_come_in_order_of_first_appearance_and_nested_ones_are_leaves() -> None:
    first = RecordFrame([{"b": "x", "patient": {"name": "Ann Lee", "phones": ["555-123-4567", "555-123-4568"]}}])
    second = RecordFrame([{"ssn": "123-45-6789", "b": "y"}])
    found = {decision.name: decision for decision in decide((first, second), None)}
    assert list(found) == ["b", "patient.name", "patient.phones[]", "ssn"]
    assert found["patient.name"].entity == "PERSON"
    assert found["patient.phones[]"].entity == "PHONE_NUMBER"
    assert found["ssn"].entity == "US_SSN"


def test_large_samples_are_thinned_over_all_frames() -> None:
    clean = ArrowFrame(pa.record_batch({"c1": [f"word {i % 9}" for i in range(9_000)]}))
    mails = ArrowFrame(pa.record_batch({"c1": [f"u{i}@example.org" for i in range(9_000)]}))
    assert decide((clean, mails), None)[0].role == "identifier"
    assert decide((mails, clean), None)[0].role == "identifier"
    assert decide((clean,), None)[0].role == "other"


def test_types_that_differ_between_frames() -> None:
    frames = (ArrowFrame(pa.record_batch({"zip": [2139, 2140]})), ArrowFrame(pa.record_batch({"zip": ["02139-1234"]})))
    assert decide(frames, None)[0].entity == "POSTCODE"
    frames = (ArrowFrame(pa.record_batch({"c": [None]})), ArrowFrame(pa.record_batch({"c": [1.5]})))
    assert decide(frames, None)[0].evidence == "values: numbers"


def test_six_columns_of_the_benchmark() -> None:
    people = Faker("en_US")
    people.seed_instance(11)
    cities = [people.city() for _ in range(200)]
    rows = 600
    batch = pa.record_batch(
        {
            "name": [people.name() for _ in range(rows)],
            "email": [people.email() for _ in range(rows)],
            "phone": [people.phone_number() for _ in range(rows)],
            "ssn": [people.ssn() for _ in range(rows)],
            "city": [cities[i % 200] for i in range(rows)],
            "notes": [f"Customer {people.name()} asked about order {i}; mail {people.email()}." for i in range(rows)],
        }
    )
    expected = [
        ("identifier", "PERSON"),
        ("identifier", "EMAIL_ADDRESS"),
        ("identifier", "PHONE_NUMBER"),
        ("identifier", "US_SSN"),
        ("quasi", "LOCATION"),
        ("free_text", None),
    ]
    assert [(d.role, d.entity) for d in decide((ArrowFrame(batch),), None)] == expected
    blind = batch.rename_columns([f"c{i}" for i in range(6)])
    found = [(d.role, d.entity) for d in decide((ArrowFrame(blind),), Flagging(LOCATION=cities))]
    assert found == expected


def test_cities_under_a_header_that_says_nothing_with_the_real_model() -> None:
    people = Faker("en_US")
    people.seed_instance(11)
    detector = build_detector("core")
    # Faker's own cities are surnames with an ending, which no model can know: nine in ten are not enough for a place,
    # and then they are searched inside. Never are they kept.
    cities = pa.array([people.city() for _ in range(300)])
    assert decide_leaf("c1", cities, detector).role in ("quasi", "free_text")
    names = decide_leaf("c1", pa.array([people.name() for _ in range(300)]), detector)
    assert (names.role, names.entity) == ("identifier", "PERSON")
    for cells in (WORDS, cycle("Jordan wing", "Victoria ward", "May"), [people.job() for _ in range(100)]):
        assert decide_leaf("c1", pa.array(cells), detector).role in ("other", "free_text")


# Numbers and categories --------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["c1", "value", "amount", "name", "count"]),
    st.one_of(
        st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=80),
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=80),
        st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=2), min_size=1, max_size=80),
    ),
)
def test_numbers_never_become_identifiers_by_value(name: str, numbers: list[object]) -> None:
    assert column(name, [str(number) for number in numbers]).role == "other"
    if not isinstance(numbers[0], (int, float)):
        return
    assert column(name, numbers).role == "other"
    assert identifier_in(pa.array(numbers)) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.from_regex(r"[A-Za-z]{1,12}( [a-z]{1,8})?", fullmatch=True), min_size=1, max_size=12, unique=True))
def test_categories_never_become_identifiers(words: list[str]) -> None:
    cells = cycle(*words, times=len(words) * 20)
    assert column("c1", cells, Flagging(PERSON=words)).role == "other"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=30))
def test_any_column_is_decided(name: str, cells: list[str | None]) -> None:
    decision = column(name, cells, Flagging(PERSON=["a"]), pa.string())
    assert decision.role in ("identifier", "free_text", "quasi", "other")
    assert 0 <= decision.share <= 1
    assert (decision.entity is None) == (decision.role == "free_text") or decision.role == "other"


# The watch -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "entity"),
    [
        ([f"u{i}@example.org" for i in range(50)], "EMAIL_ADDRESS"),
        ([f"u{i}@example.org" for i in range(46)] + ["unknown", "none", "-", "?"], "EMAIL_ADDRESS"),
        (SSNS, "US_SSN"),
        ([int(card) for card in CARDS], "CREDIT_CARD"),
        ([f"555-123-{i}" for i in range(1000, 1050)], "PHONE_NUMBER"),
        ([f"u{i}@example.org" for i in range(25)] + [f"555-123-{i}" for i in range(1000, 1025)], "ID"),
        (["a@example.org"] * 500, None),
        ([f"u{i}@example.org" for i in range(50)] + [f"x{i}" for i in range(50)], None),
        (["SW1A 1AA", "M1 1AE", "EC1A 1BB", "W1A 0AX", "B33 8TH"], None),
        (DATES, None),
        (WHOLE, None),
        (NOTES, None),
        (CODES, None),
        ([], None),
        ([None, None], None),
        ([1.5, 2.5], None),
        ([True, False], None),
    ],
)
def test_identifier_in(cells: Sequence[object], entity: str | None) -> None:
    assert identifier_in(pa.array(cells)) == entity
    if cells and all(isinstance(cell, str) for cell in cells):
        assert identifier_in(pa.array(cells, pa.large_string())) == entity
        assert identifier_in(pa.array(cells).dictionary_encode()) == entity


def test_what_the_watch_stops_at_is_an_identifier_to_decide() -> None:
    for name, cells, role, _ in TABLE:
        entity = identifier_in(pa.array(cells))
        if entity is not None:
            assert role == "identifier", name


# Names and checksums ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("patientLastName", ("patient", "last", "name")),
        ("patient.name", ("patient", "name")),
        ("contact.phones[]", ("phones",)),
        ("name[].given[]", ("name", "given")),
        ("customeremail", ("customer", "email")),
        ("lineage", ("lineage",)),
        ("E-Mail", ("email",)),
        ("addr2", ("addr", "2")),
        ("", ()),
        ("[]", ()),
    ],
)
def test_words_of(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    "name",
    [
        "email_sent",
        "is_email_valid",
        "phone_model",
        "name_count",
        "city_tax",
        "usage",
        "percentage",
        "covid",
        "paid",
        "number_of_patients",
        "hostname",
        "file_name",
        "product.name",
        "latency",
        "country_risk",
        "employee_count",
    ],
)
def test_names_that_promise_nothing(name: str) -> None:
    hint = hint_of(name)
    assert hint is None or (hint.kind == "thing" and hint.entity is None)


def test_checksums() -> None:
    assert is_card("4111111111111111")
    assert not is_card("4111111111111112")
    assert not is_card("0000000000000000")
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE88370400440532013000")
    assert is_nhs("943 476 5919")
    assert not is_nhs("943 476 5918")
    assert not is_nhs("9434765919")
    assert is_nhs("9434765919", plain=True)
    assert is_ssn("123-45-6789")
    assert not any(
        map(is_ssn, ("000-45-6789", "666-45-6789", "900-45-6789", "123-00-6789", "123-45-0000", "123456789"))
    )
    assert is_ssn("123456789", plain=True)
    assert is_bitcoin_or_ether("1BoatSLRHtKNngkdXEeobR76b53LETtpyT")
    assert not is_bitcoin_or_ether("1BoatSLRHtKNngkdXEeobR76b53LETtpyU")


def test_decision_does_not_depend_on_the_process() -> None:
    cells = pa.array(np.array(NAMES))
    assert decide_leaf("c1", cells) == decide_leaf("c1", cells)
