import datetime as dt
import hmac
import re
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from contracts.operator import KEY, OTHER, TODAY, OperatorContract, context, run
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.deid.operators import build_operator
from privkit.deid.operators.dates import date_format, form_of, read_date
from privkit.deid.operators.postcodes import LOW_POPULATION, cut_postcode
from privkit.deid.operators.surrogates.names import ascii_letters, name_lists
from privkit.errors import ColumnError, PolicyError
from privkit.io.frames import Leaf
from privkit.keys.keyfile import Key
from privkit.keys.tokens import TOKEN, Tokens
from privkit.model.operators import (
    DateShift,
    Drop,
    Generalize,
    Keep,
    KeyedHash,
    Mask,
    Pseudonym,
    Redact,
    Replace,
    Surrogate,
)

MINUTE = dt.timedelta(minutes=1)


def built(spec, entity="PERSON", key=KEY, today=TODAY):
    return build_operator(spec, entity=entity, key=key, today=today)


def surrogate(value, entity="PERSON", key=KEY, name=None, locale="en_US"):
    operator = built(Surrogate(locale=locale), entity, key)
    return operator.apply_text(value, 0, context(1, names={0: name} if name else None))


class TestKeep(OperatorContract):
    spec = Keep()
    keeps_originals = True

    def test_other_types_of_text(self):
        values = pa.array(["a", None]).cast(pa.large_string())
        assert built(Keep()).apply(Leaf("c", values, None), context(2)) is values

    def test_anything_is_kept(self):
        values = pa.array([b"\xff", None])
        assert run(built(Keep()), values) == [b"\xff", None]


class TestRedact(OperatorContract):
    spec = Redact()

    def test_known_answers(self):
        assert run(built(Redact()), ["John", None, "", " "]) == ["", None, "", " "]
        assert run(built(Redact()), [5, None], pa.int64()) == [None, None]
        assert run(built(Redact()), pa.array([b"\xff", None])) == [None, None]


class TestReplace(OperatorContract):
    spec = Replace()

    def test_known_answers(self):
        assert run(built(Replace()), ["John", None, ""]) == ["<PERSON>", None, ""]
        assert run(built(Replace(), None), ["John"]) == ["<REDACTED>"]
        assert run(built(Replace(new_value="?")), [5, None], pa.int64()) == ["?", None]
        assert run(built(Replace(new_value="")), ["John"]) == [""]


class TestMask(OperatorContract):
    spec = Mask()

    def is_coarse_already(self, value):
        return set(value) == {"*"}

    def test_known_answers_are_presidios(self):
        from presidio_anonymizer.operators import Mask as Theirs

        for value in ("John Smith", "ab", "1", "äöü€"):
            for count in (1, 3, 50):
                for from_end in (False, True):
                    params = {"masking_char": "#", "chars_to_mask": count, "from_end": from_end}
                    theirs = Theirs().operate(value, params)
                    assert run(built(Mask(**params)), [value]) == [theirs]

    def test_all_by_default(self):
        assert run(built(Mask()), ["John", None, ""]) == ["****", None, ""]
        assert run(built(Mask(chars_to_mask=2)), [1234], pa.int64()) == ["**34"]


class TestReversiblePseudonym(OperatorContract):
    spec = Pseudonym()
    keyed = True

    def test_they_are_the_keys_tokens(self):
        assert run(built(Pseudonym()), ["John Smith", None]) == [Tokens(KEY).seal("John Smith", "PERSON"), None]

    def test_a_block_comes_back(self):
        values = [f"Person {number % 300}" for number in range(2048)]
        tokens = run(built(Pseudonym()), values)
        assert [Tokens(KEY).open_token(token) for token in tokens] == values

    def test_no_kept_key_no_way_back(self):
        key = Key.from_secret(KEY.secret(), kept=False)
        assert run(built(Pseudonym(), key=key), ["John"]) == [Tokens(KEY).hash("John", "PERSON")]

    def test_without_entity(self):
        assert run(built(Pseudonym(), None), ["John"])[0].startswith("VALUE_k")

    def test_equal_texts_of_other_types(self):
        def tokens(array):
            return run(built(Pseudonym(), "ID"), array)

        texts = ["2024-02-29", "12", "true", "1.5", "-7"]
        (date, twelve, true, float_, negative) = tokens(pa.array(texts))
        assert tokens(pa.array([dt.date(2024, 2, 29)])) == [date]
        for kind in (pa.int8(), pa.uint64(), pa.int32()):
            assert tokens(pa.array([12, None], kind)) == [twelve, None]
        assert tokens(pa.array([True])) == [true]
        assert tokens(pa.array([1.5, None])) == [float_, None]
        assert tokens(pa.array([1.5], pa.float32())) == [float_]
        assert tokens(pa.array([-7])) == [negative]

    def test_a_moment_is_one_text_in_every_unit(self):
        moments = [dt.datetime(2024, 2, 29, 12, 30, 15), dt.datetime(2024, 2, 29, 12, 30, 15, 120_000)]
        answers = [
            run(built(Pseudonym(), "DATE_TIME"), pa.array(moments, pa.timestamp(unit))) for unit in ("ms", "us", "ns")
        ]
        assert answers[0] == answers[1] == answers[2]
        opened = [Tokens(KEY).open_token(token) for token in answers[0]]
        assert opened == ["2024-02-29 12:30:15", "2024-02-29 12:30:15.12"]
        seconds = run(built(Pseudonym(), "DATE_TIME"), pa.array(moments[:1], pa.timestamp("s")))
        assert seconds == answers[0][:1]

    def test_what_has_no_text_is_refused_not_lost(self):
        for array in (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), pa.array([b"\xff"])):
            with pytest.raises(ColumnError, match="column"):
                run(built(Pseudonym()), array)


class TestShortPseudonym(OperatorContract):
    spec = Pseudonym(reversible=False)
    keyed = True

    def test_known_answer(self):
        assert run(built(self.spec), ["John Smith"]) == ["PERSON_xjw3ndvumwbnc7qwp"]


class TestKeyedHash(OperatorContract):
    spec = KeyedHash()
    keyed = True

    def test_known_answer(self):
        expected = hmac.digest(KEY.derive("keyed hash: HMAC-SHA-256"), b"John Smith", "sha256").hex()
        for length in (16, 32, 64):
            assert run(built(KeyedHash(length=length)), ["John Smith"]) == [expected[:length]]

    def test_the_entity_does_not_count(self):
        assert run(built(KeyedHash(), "ID"), ["a"]) == run(built(KeyedHash(), None), ["a"])


# Surrogates


class TestSurrogateOfPeople(OperatorContract):
    spec = Surrogate()
    keyed = True


class TestSurrogateOfCodes(OperatorContract):
    spec = Surrogate()
    entity = "ID"
    keyed = True


class TestSurrogateOfEmails(OperatorContract):
    spec = Surrogate()
    entity = "EMAIL_ADDRESS"
    keyed = True
    samples = ("john.smith@acme.com", "no address", "info@acme.org")


class TestSurrogateOfPlaces(OperatorContract):
    spec = Surrogate()
    entity = "LOCATION"
    keyed = True


class TestSurrogateOfDates(OperatorContract):
    spec = Surrogate()
    entity = "DATE_TIME"
    keyed = True
    samples = ("2024-02-29", "Jan 5, 2024", "yesterday", "1/2/24")

    def is_coarse_already(self, value):
        return value == "<DATE_TIME>"


class TestSurrogateOfPhones(OperatorContract):
    spec = Surrogate()
    entity = "PHONE_NUMBER"
    keyed = True
    samples = ("(212) 555-0199", "+44 20 7946 0958", "none")


class TestSurrogateOfUrls(OperatorContract):
    spec = Surrogate()
    entity = "URL"
    keyed = True
    samples = ("https://a.org/x", "a.org/in/john")


def test_a_person_keeps_a_surrogate_in_every_form():
    plain = surrogate("John Smith")
    first, last = plain.split()
    assert surrogate("JOHN SMITH") == plain.upper()
    assert surrogate("john smith") == plain.lower()
    assert surrogate("Smith, John") == f"{last}, {first}"
    assert surrogate("SMITH, JOHN") == f"{last}, {first}".upper()
    assert surrogate("John  Smith") == f"{first}  {last}"
    assert surrogate("Ｊｏｈｎ Smith") == plain
    assert surrogate("Dr. John Smith") == f"Dr. {plain}"
    assert surrogate("John Smith Jr.") == f"{plain} Jr."
    assert surrogate("John") == first
    assert surrogate("Smith") == last
    assert surrogate("Mr. Smith") == f"Mr. {last}"
    assert surrogate("O'Brien, John").endswith(f", {first}")
    assert re.fullmatch(rf"{first} [A-Z]\. {last}", surrogate("John Q. Smith"))
    assert surrogate("Mary Smith").endswith(f" {last}")


def test_the_surrogate_of_a_part_is_a_part_of_the_whole():
    for name in ("Okonkwo Adaeze", "Rivera Lee", "Grace Kim", "Taylor James"):
        first, last = surrogate(name).split()
        one, other = name.split()
        operator = built(Surrogate())
        block = context(1, names={0: name})
        assert operator.apply_text(one, 0, block) == first
        assert operator.apply_text(other, 0, block) == last
        assert run(operator, [other], name="last_name") == [last]
        assert run(operator, [one], name="First Name") == [first]


def test_nothing_of_a_name_stays_behind():
    lists = name_lists("en_US")
    for first, last in zip(lists.first[:300], lists.last[:300], strict=True):
        new_first, new_last = surrogate(f"{first} {last}").split()
        assert (new_first != first, new_last != last) == (True, True)
    assert "van" not in surrogate("Ludwig van Beethoven")
    assert "Don" not in surrogate("Don Draper").split()
    assert "Do" not in surrogate("Linh Do").split()
    assert "MD" in surrogate("Jane Roe MD").split()


def test_gender_only_where_the_lists_know_it():
    lists = name_lists("en_US")
    for name in ("John", "Robert"):
        assert surrogate(name) in lists.male
    assert surrogate("Mary") in lists.female


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Иван Петров", r"[Ѐ-ӿ]+ [Ѐ-ӿ]+"),
        ("王小明", r"[\u4e00-\u9fff]{2,4}"),
        ("김민준", r"[가-힣]{2,4}"),
        ("ヤマダ タロウ", r"[ァ-ー]+ [ァ-ー]+"),
        ("أحمد محمد", r"[\u0600-\u06ff]+ [\u0600-\u06ff]+"),
        ("Γιώργος Παππάς", r"[Ͱ-Ͽἀ-῿]+ [Ͱ-Ͽἀ-῿]+"),
        ("דוד לוי", r"[\u0590-\u05ff]+ [\u0590-\u05ff]+"),
        ("สมชาย ใจดี", r"[\u0e00-\u0e7f]+ [\u0e00-\u0e7f]+"),
        ("राम शर्मा", r"[\u0900-\u097f]+ [\u0900-\u097f]+"),
    ],
)
def test_other_scripts_stay_in_their_script(name, letters):
    assert re.fullmatch(letters, surrogate(name))
    assert surrogate(name) != name


def test_locale():
    assert surrogate("Hans Meier", locale="de_DE").split()[1] in name_lists("de_DE").last
    assert surrogate("John Smith", locale="ru_RU").isascii()
    with pytest.raises(PolicyError, match="xx_XX"):
        built(Surrogate(locale="xx_XX"))


@pytest.mark.parametrize(
    ("email", "pattern"),
    [
        ("john.smith@acme.com", "{f}.{l}"),
        ("JOHN.SMITH@acme.com", "{F}.{L}"),
        ("smith_john@acme.com", "{l}_{f}"),
        ("johnsmith@acme.com", "{f}{l}"),
        ("jsmith@acme.com", "{f1}{l}"),
        ("smithj@acme.com", "{l}{f1}"),
        ("john.s@acme.com", "{f}.{l1}"),
        ("john@acme.com", "{f}"),
    ],
)
def test_an_email_follows_the_name(email, pattern):
    first, last = (ascii_letters(part) for part in surrogate("John Smith").split())
    forms = {"f": first, "l": last, "F": first.upper(), "L": last.upper(), "f1": first[0], "l1": last[0]}
    local, domain = surrogate(email, "EMAIL_ADDRESS", name="Smith, John").split("@")
    assert local == pattern.format(**forms)
    assert re.fullmatch(r"example\.(com|org|net)", domain)
    operator = built(Surrogate(), "EMAIL_ADDRESS")
    assert run(operator, [None, email], names={1: "John Smith"}) == [None, f"{local}@{domain}"]


def test_email_without_a_name_beside_it():
    first, last = (ascii_letters(part) for part in surrogate("John Smith").split())
    assert surrogate("john.smith@acme.com", "EMAIL_ADDRESS").startswith(f"{first}.{last}@")
    assert surrogate("john.smith@acme.com", "EMAIL_ADDRESS", name="Mary Jones").startswith(f"{first}.{last}@")
    made = surrogate("jsmith42@acme.com", "EMAIL_ADDRESS")
    assert re.fullmatch(rf"[a-z]{last}[0-9]{{2}}@example\.(com|org|net)", made)
    assert "42" not in made
    domain = surrogate("a.b@acme.com", "EMAIL_ADDRESS").split("@")[1]
    assert surrogate("c.d@ACME.com", "EMAIL_ADDRESS").split("@")[1] == domain


@given(st.from_regex(r"\A(\+1 ?)?\(?[2-9][0-9]{2}\)?[ .-]?[2-9][0-9]{2}[ .-]?[0-9]{4}\Z"))
@settings(deadline=None, max_examples=60)
def test_north_american_phones(number):
    made = surrogate(number, "PHONE_NUMBER")
    assert re.sub("[0-9]", "9", made) == re.sub("[0-9]", "9", number)
    digits = re.sub("[^0-9]", "", made)[-10:]
    assert digits[0] in "23456789"
    assert digits[1:3] != "11"
    assert digits[3:8] == "55501"
    assert re.sub("[^0-9]", "", made) != re.sub("[^0-9]", "", number)


def test_other_phones():
    made = surrogate("+44 20 7946 0958", "PHONE_NUMBER")
    assert re.fullmatch(r"\+44 [1-9][0-9] [0-9]{4} [0-9]{4}", made)
    assert surrogate("+442079460958", "PHONE_NUMBER") == made.replace(" ", "")
    assert re.fullmatch(r"\+49 \(0\)[0-9]{2} [0-9]{7} x[0-9]{2}", surrogate("+49 (0)30 1234567 x12", "PHONE_NUMBER"))
    assert surrogate("020 7946 0958", "PHONE_NUMBER").startswith("0")


def test_ssns_are_nobodys():
    for number in range(50):
        made = surrogate(f"123-45-{number:04d}", "US_SSN")
        assert re.fullmatch(r"(666|000)-(?!00)[0-9]{2}-(?!0000)[0-9]{4}", made)
        assert surrogate(f"12345{number:04d}", "US_SSN") == made.replace("-", "")


@given(st.from_regex(r"\A[3-6][0-9]{3}([ -]?)[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}\Z"))
@settings(deadline=None, max_examples=60)
def test_cards_pass_luhn(number):
    made = surrogate(number, "CREDIT_CARD")
    assert re.sub("[0-9]", "9", made) == re.sub("[0-9]", "9", number)
    assert made[0] == number[0]
    assert made != number
    digits = [int(digit) for digit in re.sub("[^0-9]", "", made)][::-1]
    assert sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


@pytest.mark.parametrize(
    "number",
    ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "NO93 8601 1117 947", "MT84MALT011000012345MTLCAST001S"],
)
def test_ibans_pass_mod_97(number):
    made = surrogate(number, "IBAN_CODE")
    assert made != number
    assert made[:2] == number[:2]

    def classes(text):
        return re.sub("[A-Z]", "A", re.sub("[0-9]", "9", text))

    assert classes(made) == classes(number)
    compact = made.replace(" ", "")
    assert int("".join(str(int(one, 36)) for one in compact[4:] + compact[:4])) % 97 == 1


@pytest.mark.parametrize("address", ["10.1.2.3", "8.8.8.8:53", "10.0.0.0/8", "2a00:1450:4001::8a", "[::1]:80"])
def test_ips_are_for_documentation(address):
    made = surrogate(address, "IP_ADDRESS")
    assert re.match(r"\[?(192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|2001:db8:)", made)
    rest = re.search(r"(/8|:53|\]:80)?$", address)[0]
    assert made.endswith(rest)


def test_hardware_addresses():
    assert re.fullmatch(r"[0-9A-F][26AE](:[0-9A-F]{2}){5}", surrogate("AA:BB:0C:00:11:22", "MAC_ADDRESS"))
    assert surrogate("aa-bb-0c-00-11-22", "MAC_ADDRESS") != surrogate("aa-bb-0c-00-11-23", "MAC_ADDRESS")
    assert surrogate("+-).", "MAC_ADDRESS") == "<MAC_ADDRESS>"


def test_urls():
    made = surrogate("https://www.acme.com/in/john-smith?id=7", "URL")
    assert re.fullmatch(r"https://www\.example\.(com|org|net)/[a-z]{2}/[a-z]{4}-[a-z]{5}\?[a-z]{2}=[0-9]", made)
    assert "john" not in made


def test_dates_lie_within_two_years_in_the_same_format():
    for number in range(60):
        date = dt.date(1980, 1, 1) + dt.timedelta(days=97 * number)
        made = dt.date.fromisoformat(surrogate(date.isoformat(), "DATE_TIME"))
        assert 0 < abs((made - date).days) <= 730
        written = surrogate(date.strftime("%d %b %Y"), "DATE_TIME")
        assert written == made.strftime("%d %b %Y")
    assert surrogate("last Tuesday", "DATE_TIME") == "<DATE_TIME>"
    assert surrogate("0001-01-01", "DATE_TIME") != "0001-01-01"


def test_places():
    city = surrogate("Boston", "LOCATION")
    assert not re.search("[0-9]", city)
    assert surrogate("BOSTON", "LOCATION") == city.upper()
    assert re.fullmatch(rf"{city}, [A-Z]{{2}} [0-9]{{5}}", surrogate("Boston, MA 02139", "LOCATION"))
    street = surrogate("1600 Pennsylvania Ave", "LOCATION")
    assert re.search("[0-9]", street)
    assert "Pennsylvania" not in street


def test_codes_keep_their_look():
    assert re.fullmatch(r"[A-Z]{3}-[1-9][0-9]{4}/[a-z]", surrogate("MRN-12345/b", "MEDICAL_RECORD"))
    assert surrogate("mrn-1", "ID") == surrogate("MRN-1", "ID").lower()
    assert surrogate("---", "ID") == "<ID>"
    assert surrogate("x", "ID") != "x"


# Dates


class TestDateShift(OperatorContract):
    spec = DateShift()
    entity = "DATE_TIME"
    keyed = True
    by_row = True
    samples = ("2024-02-29", "Jan 5, 2024", "yesterday", "3/7/2024", "2024-02-29")

    def is_coarse_already(self, value):
        return value == "<DATE_TIME>"


def unit(*values):
    return Leaf("patient", pa.array(values), None)


def shift_of(value, patient="p1", **parameters):
    operator = built(DateShift(unit="patient", **parameters), "DATE_TIME")
    return run(operator, [value], leaves=[unit(patient)])[0]


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), st.integers(1, 400), st.text("abc", min_size=1))
@settings(deadline=None)
def test_the_shift_is_whole_days_and_never_none(date, days, patient):
    made = dt.date.fromisoformat(shift_of(date.isoformat(), patient, days=days))
    assert 0 < abs((made - date).days) <= days


def test_both_ways_and_all_lengths_come_up():
    shifts = {
        (dt.date.fromisoformat(shift_of("2000-01-01", f"p{number}", days=3)) - dt.date(2000, 1, 1)).days
        for number in range(200)
    }
    assert shifts == {-3, -2, -1, 1, 2, 3}


def test_intervals_of_a_unit_survive_over_columns_types_and_rows():
    operator = built(DateShift(unit="patient"), "DATE_TIME")
    patients = [unit("p1", "p2", "p1")]
    dates = [dt.date(2024, 2, 28), dt.date(2024, 2, 28), dt.date(2024, 3, 1)]
    typed = run(operator, dates, pa.date32(), leaves=patients)
    texts = run(operator, [date.strftime("%d/%m/%Y") for date in dates[:2]] + ["29.02.2024"], leaves=patients)
    assert typed[2] - typed[0] == dt.timedelta(days=2)
    assert typed[1] != typed[0]
    assert run(built(DateShift(unit="patient"), "DATE_OF_BIRTH"), ["2024-02-28"], leaves=[unit("p1")]) == [
        typed[0].isoformat()
    ]
    read = [dt.datetime.strptime(text, "%d/%m/%Y").date() for text in texts[:2]]
    # 28/02/2024 can only be day first.
    assert read == typed[:2]
    assert operator.apply_text("2024-02-28", 2, context(3, patients)) == typed[0].isoformat()


def test_without_a_unit_rows_shift_apart_and_columns_together():
    operator = built(DateShift(), "DATE_TIME")
    made = run(operator, [dt.date(2024, 1, 1)] * 40, pa.date32())
    assert len(set(made)) > 20
    assert run(operator, ["2024-01-01"] * 40) == [date.isoformat() for date in made]


def test_a_row_without_a_unit_shares_its_shift_with_nobody():
    operator = built(DateShift(unit="patient"), "DATE_TIME")
    made = run(operator, ["2024-01-01"] * 40, leaves=[unit(*([None, ""] * 20))])
    assert len(set(made)) > 20


def test_nested_leaves_take_their_rows_unit():
    operator = built(DateShift(unit="patient"), "DATE_TIME")
    made = run(operator, ["2024-01-01", "2024-01-01", "2024-01-01"], rows=[0, 0, 1], leaves=[unit("p1", "p2")])
    assert made[0] == made[1] != made[2]
    nested = Leaf("patient", pa.array(["p1", "zz", "p2"]), np.array([0, 0, 1]))
    assert run(operator, ["2024-01-01"] * 3, rows=[0, 0, 1], leaves=[nested]) == made


def test_a_missing_unit_is_named():
    with pytest.raises(ColumnError, match="patient") as caught:
        run(built(DateShift(unit="patient"), "DATE_TIME"), ["2024-01-01"])
    assert caught.value.columns == ("patient",)


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_typed_dates(kind):
    dates = [dt.date(2024, 2, 29), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)]
    made = run(built(DateShift(), "DATE_TIME"), dates, kind)
    assert made[1] is None
    for before, after in zip(dates, made, strict=True):
        assert before is None or 0 < abs((after - before).days) <= 365


@pytest.mark.parametrize("days", ["0001-01-01", "9999-12-31", "0001-06-01"])
def test_texts_at_the_calendars_end(days):
    for patient in ("a", "b", "c", "d"):
        made = dt.date.fromisoformat(shift_of(days, patient))
        assert made != dt.date.fromisoformat(days)
    assert shift_of("9999-12-31", days=36500) != "9999-12-31"


@pytest.mark.parametrize("day_unit", ["s", "ms", "us", "ns"])
def test_timestamps_keep_time_and_zone(day_unit):
    zone = ZoneInfo("Europe/Berlin")
    moments = [
        dt.datetime(2024, 3, 30, 12, 30, tzinfo=zone),
        None,
        dt.datetime(2024, 7, 1, 23, 59, tzinfo=zone),
        dt.datetime(1999, 12, 31, 0, 1, tzinfo=zone),
    ]
    kind = pa.timestamp(day_unit, "Europe/Berlin")
    made = run(built(DateShift(days=30), "DATE_TIME"), moments, kind)
    for before, after in zip(moments, made, strict=True):
        if before is None:
            assert after is None
            continue
        assert after.timetz().replace(tzinfo=None) == before.timetz().replace(tzinfo=None)
        assert 0 < abs((after.date() - before.date()).days) <= 30


def test_a_time_that_the_clocks_leave_out():
    # 02:30 exists on 30 March 2024 in Berlin and not on the 31st: whatever the shift, the answer is a moment.
    moments = [dt.datetime(2024, 3, 30, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))] * 60
    made = run(built(DateShift(days=2), "DATE_TIME"), moments, pa.timestamp("us", "Europe/Berlin"))
    shown = {moment.strftime("%d %H:%M") for moment in made}
    assert shown == {"28 02:30", "29 02:30", "31 03:00", "01 02:30"}


def test_timestamps_at_the_types_end():
    info = np.iinfo(np.int64)
    array = pa.array([info.max, info.min + 1], pa.int64()).cast(pa.timestamp("ns"))
    for number in range(6):
        operator = built(DateShift(days=36500), "DATE_TIME", Key.from_secret(bytes([number] * 32), kept=False))
        made = operator.apply(Leaf("c", array, None), context(2)).cast(pa.int64()).to_pylist()
        assert made[0] < info.max
        assert made[1] > info.min + 1


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("2024-02-29T10:11:12Z", r"\d{4}-\d\d-\d\dT10:11:12Z"),
        ("2024-02-29 10:11:12.123456789+0530", r"\d{4}-\d\d-\d\d 10:11:12\.123456789\+0530"),
        ("31-DEC-2023", r"\d\d-[A-Z]{3}-\d{4}"),
        ("December 31, 2023", r"[A-Z][a-z]+ \d+, \d{4}"),
        ("Wed, 02 Oct 2002 13:00:00 +0200", r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} 200\d 13:00:00 \+0200"),
        ("20240131", r"\d{8}"),
        ("12/31/23 9:05 pm", r"\d\d/\d\d/\d\d 9:05 pm"),
        ("  2024-01-31 ", r"  \d{4}-\d\d-\d\d "),
    ],
)
def test_texts_keep_their_format(text, look):
    made = shift_of(text)
    assert re.fullmatch(look, made)
    assert made != text


def test_weekdays_are_right_again():
    made = shift_of("Wed, 02 Oct 2002 13:00:00 +0200")
    assert dt.datetime.strptime(made, "%a, %d %b %Y %H:%M:%S %z").strftime("%a, %d") == made[:7]


@pytest.mark.parametrize(
    "text", ["yesterday", "2024-02-30", "13/13/2024", "2024", "May 2024", "99999999", "1e9", "2024-1-"]
)
def test_what_is_no_date_is_never_kept(text):
    assert shift_of(text) == "<DATE_TIME>"


def test_two_digits_for_the_year_never_say_another_date():
    for number in range(30):
        made = shift_of("01/01/68", f"p{number}", days=700)  # 2068 or 1969 and later
        if made != "<DATE_TIME>":
            assert read_date(made).date.year in (2066, 2067, 2068)


def test_numbers_are_read_as_text():
    (made,) = run(built(DateShift(format="%Y%m%d"), "DATE_TIME"), [20240131], pa.int64())
    assert re.fullmatch("20[0-9]{6}", made)


def test_formats_that_cannot_be_shifted():
    for format_ in ("%Y", "%Y-%m", "%m %d", "%Q", "%Y %Y"):
        with pytest.raises(PolicyError):
            built(DateShift(format=format_))


@pytest.mark.parametrize(
    ("values", "format_", "ambiguous"),
    [
        (["2024-01-31", "1999-12-01"], "%Y-%m-%d", False),
        (["1/2/2024", "13/2/2024"], "%d/%m/%Y", False),
        (["1/2/2024", "2/13/2024"], "%m/%d/%Y", False),
        (["1/2/2024", "3/4/2024"], "%m/%d/%Y", True),
        (["01.02.2024"], "%d.%m.%Y", True),
        (["13.02.2024", "01.02.2024"], "%d.%m.%Y", False),
        (["02.13.2024"], "%m.%d.%Y", False),
        (["20240131"], "%Y%m%d", False),
        (["31 Jan 2024"], "%d %b %Y", False),
        (["January 31, 2024"], "%B %d, %Y", False),
        (["May 5, 2024", "June 6, 2024"], "%B %d, %Y", False),
        (["2024-01-31T10:00:00Z"], "%Y-%m-%dT%H:%M:%S%z", False),
        (["2024-01-31 10:00:00.5"], "%Y-%m-%d %H:%M:%S.%f", False),
        (["1/2/2024 3:04 PM", "12/25/2024 11:00 am"], "%m/%d/%Y %I:%M %p", False),
        (["1/2/2024 3:04:05 PM"], "%m/%d/%Y %I:%M:%S %p", True),
        (["31/12/99", "01/01/01"], "%d/%m/%y", False),
        (["2024-01-31", "", " ", "2024-02-01"], "%Y-%m-%d", False),
        (["2024-01-31"] * 19 + ["unknown"], "%Y-%m-%d", False),
        (["2024-01-31"] * 5 + ["unknown"], None, False),
        (["1234", "1999"], None, False),
        (["555-1234"], None, False),
        (["May", "Jordan"], None, False),
        (["12345678"], None, False),
        ([], None, False),
        ([""], None, False),
    ],
)
def test_date_format(values, format_, ambiguous):
    assert date_format(values) == (format_, ambiguous)


@given(
    st.dates(dt.date(1970, 1, 1), dt.date(2068, 1, 1)),
    st.sampled_from(
        ["%Y-%m-%d", "%d/%m/%Y", "%m-%d-%y", "%d %B %Y", "%b %d, %Y", "%Y%m%d", "%A, %d %B %Y", "%Y-%j", "%d%b%Y"]
    ),
)
@settings(deadline=None)
def test_reading_and_writing_agree_with_strftime(date, format_):
    form = form_of(format_)
    moment = form.read(date.strftime(format_))
    assert moment.date == date
    other = dt.date(2024, 2, 29)
    # Ours pads where the original was padded; strftime always pads, so must we.
    assert form.write(date.strftime(format_), moment, other) == other.strftime(format_)


def test_numbers_without_zeros_stay_so():
    form = form_of("%m/%d/%Y")
    text = "3/17/2024"
    assert form.write(text, form.read(text), dt.date(2023, 1, 2)) == "1/2/2023"


# Generalize


class TestGeneralizeDates(OperatorContract):
    spec = Generalize()
    entity = "DATE_OF_BIRTH"
    samples = ("2024-02-29", "Jan 5, 1924", "unknown", "3/7/1980")

    def is_coarse_already(self, value):
        return bool(re.fullmatch(r"[0-9]{4}|<DATE_OF_BIRTH>", value))


class TestGeneralizeAges(OperatorContract):
    spec = Generalize()
    entity = "AGE"
    samples = ("34", "91", "old", "7")

    def is_coarse_already(self, value):
        return value == "<AGE>"


class TestGeneralizePostcodes(OperatorContract):
    spec = Generalize()
    entity = "POSTCODE"
    samples = ("02139", "SW1A 1AA", "10012-1234", "none")

    def is_coarse_already(self, value):
        return bool(re.fullmatch(r"0[0-9]{2}|<POSTCODE>", value))


def generalized(value, entity=None, kind=None, today=TODAY, **parameters):
    return run(built(Generalize(**parameters), entity, today=today), [value], kind)[0]


@pytest.mark.parametrize(
    ("value", "year", "month"),
    [
        ("1980-05-31", "1980", "1980-05"),
        ("5/31/1980", "1980", "1980-05"),
        ("31.05.1980 10:00", "1980", "1980-05"),
        ("31 May 1980", "1980", "1980-05"),
        ("May 1980", "1980", "1980-05"),
        ("1980", "1980", "<DATE_TIME>"),
        ("soon", "<DATE_TIME>", "<DATE_TIME>"),
        ("0099-01-01", "0099", "0099-01"),
    ],
)
def test_text_dates(value, year, month):
    assert generalized(value, "DATE_TIME", to="year") == year
    assert generalized(value, "DATE_TIME", to="month") == month


def test_typed_dates_become_years_and_months():
    assert generalized(dt.date(1980, 5, 31), kind=pa.date32()) == "1980"
    assert generalized(dt.date(1980, 5, 31), kind=pa.date64(), to="month") == "1980-05"
    assert generalized(dt.date(980, 12, 31), kind=pa.date32(), to="month") == "0980-12"
    late = dt.datetime(2023, 12, 31, 23, 30, tzinfo=dt.UTC)
    assert generalized(late, kind=pa.timestamp("ns", "UTC")) == "2023"
    assert generalized(late, kind=pa.timestamp("ns", "Europe/Berlin"), to="month") == "2024-01"
    assert run(built(Generalize(), "DATE_TIME"), [None, dt.date(2000, 1, 1)], pa.date32()) == [None, "2000"]


def test_birth_years_that_would_show_an_age_over_the_oldest():
    # On 15 June 2025 somebody born in 1936 is 88 or 89, somebody born in 1935 may be 90.
    for kind, values in (
        (pa.string(), ["1936-01-01", "1935-12-31", "1900-01-01"]),
        (pa.date32(), [dt.date(1936, 1, 1), dt.date(1935, 12, 31), dt.date(1900, 1, 1)]),
    ):
        made = run(built(Generalize(oldest=89), "DATE_OF_BIRTH"), values, kind)
        assert made == ["1936", "<=1935", "<=1935"]
    assert generalized("1935", "DATE_OF_BIRTH", oldest=89) == "<=1935"
    assert generalized("1935-05-05", "DATE_OF_BIRTH", oldest=89, to="month") == "<=1935"
    assert generalized("1935-05-05", "DATE_OF_BIRTH", oldest=89, today=dt.date(2024, 12, 31)) == "1935"


def test_two_digit_birth_years_are_in_the_past():
    assert generalized("05/31/45", "DATE_OF_BIRTH") == "1945"
    assert generalized("05/31/05", "DATE_OF_BIRTH") == "2005"
    assert generalized("05/31/45", "DATE_TIME") == "2045"
    assert generalized("05/31/33", "DATE_OF_BIRTH", oldest=89) == "<=1935"


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (0, "0-4"), (4, "0-4"), (5, "5-9"), (30, "30-34"), (34, "30-34"), (89, "85-89"), (90, "90+"), (120, "90+"),
        (-1, "-5--1"), (-5, "-5--1"),
    ],
)  # fmt: skip
def test_ages(value, band):
    assert generalized(value, "AGE", pa.int64()) == band
    assert generalized(str(value), "AGE") == band
    assert generalized(float(value), "AGE", pa.float64()) == band
    assert generalized(value, kind=pa.int8(), band=5, top=90) == band


@pytest.mark.parametrize(
    ("value", "kind", "parameters", "band"),
    [
        (32.5, pa.float64(), {"band": 5}, "30.0-35.0"),
        (35.0, pa.float64(), {"band": 5}, "35.0-40.0"),
        (-0.5, pa.float64(), {"band": 5}, "-5.0-0.0"),
        (0.3, pa.float64(), {"band": 0.1}, "0.3-0.4"),
        (1e300, pa.float64(), {"band": 5, "top": 90}, "90+"),
        (7, pa.int64(), {"band": 2.5}, "5.0-7.5"),
        (2**63 - 1, pa.int64(), {"band": 1000}, "9223372036854775000-9223372036854775999"),
        (float("nan"), pa.float64(), {"band": 5}, "<INCOME>"),
        (float("inf"), pa.float64(), {"band": 5}, "<INCOME>"),
        ("32.5", pa.string(), {"band": 5}, "30.0-35.0"),
        ("1e2", pa.string(), {"band": 50}, "100.0-150.0"),
        ("1,234", pa.string(), {"band": 5}, "<INCOME>"),
        ("9" * 5000, pa.string(), {"band": 5}, "<INCOME>"),
        ("1e99999999", pa.string(), {"band": 5}, "<INCOME>"),
        (87, pa.int64(), {"band": 5, "top": 88}, "85-87"),
        (87.5, pa.float64(), {"band": 5, "top": 88}, "85.0-88.0"),
        (50, pa.int64(), {"top": 90}, "50"),
        (90, pa.int64(), {"top": 90}, "90+"),
    ],
)
def test_bands(value, kind, parameters, band):
    assert generalized(value, "INCOME", kind, **parameters) == band


@given(st.integers(-(10**9), 10**9), st.integers(1, 1000))
@settings(deadline=None)
def test_a_whole_number_lies_in_its_band(value, band):
    made = generalized(value, kind=pa.int64(), band=band)
    low, high = (int(one) for one in re.fullmatch(r"(-?\d+)-(-?\d+)", made).groups()) if band > 1 else (value, value)
    assert low <= value <= high
    assert high - low == band - 1
    assert low % band == 0


def test_numbers_without_a_band_are_refused():
    for kind in (pa.int64(), pa.float64(), pa.string()):
        with pytest.raises(PolicyError) as caught:
            built(Generalize(), None).output_type(kind)
        assert "band=" in caught.value.hint
    with pytest.raises(PolicyError, match="LOCATION"):
        built(Generalize(), "LOCATION").apply_text("Boston", 0, context(1))
    assert built(Generalize(), None).output_type(pa.date32()) == pa.string()


def test_hipaas_prefixes():
    assert len(LOW_POPULATION) == 17
    for prefix in LOW_POPULATION:
        assert generalized(f"{prefix}01", "POSTCODE") == "000"
        assert generalized(f"{prefix}01-1234", "POSTCODE") == "000"
        assert generalized(int(f"{prefix}01"), "POSTCODE", pa.int64()) == "000"
        assert generalized(f"{prefix}01", "POSTCODE", digits=4) == "000"
        assert generalized(f"{prefix}01", "POSTCODE", digits=3, suppress_low_population=False) == prefix
    for number in range(1000):
        prefix = f"{number:03d}"
        expected = "000" if prefix in LOW_POPULATION else prefix
        assert cut_postcode(f"{prefix}99", 3, low_population=True) == expected


@pytest.mark.parametrize(
    ("value", "kind", "cut"),
    [
        ("02139", pa.string(), "021"),
        (" 02139 ", pa.string(), "021"),
        ("02139-1234", pa.string(), "021"),
        ("021391234", pa.string(), "021"),
        (2139, pa.int64(), "021"),
        (501, pa.int32(), "005"),
        (21391234, pa.int64(), "021"),
        (3601, pa.int64(), "000"),
        (2139.0, pa.float64(), "021"),
        (2139.5, pa.float64(), "<POSTCODE>"),
        (-1, pa.int64(), "<POSTCODE>"),
        ("2139", pa.string(), "021"),
        ("3601", pa.string(), "000"),
        ("021", pa.string(), "021"),
        ("036", pa.string(), "000"),
        ("SW1A 1AA", pa.string(), "SW1"),
        ("SW1A1AA", pa.string(), "SW1"),
        ("M1 1AE", pa.string(), "M1"),
        ("M11AE", pa.string(), "M1"),
        ("K1A 0B1", pa.string(), "K1A"),
        ("1012 AB", pa.string(), "101"),
        ("00-950", pa.string(), "00"),
        ("n/a", pa.string(), "<POSTCODE>"),
        ("Boston", pa.string(), "<POSTCODE>"),
        ("1" * 40, pa.string(), "<POSTCODE>"),
    ],
)
def test_postcodes(value, kind, cut):
    assert generalized(value, "POSTCODE", kind) == cut


def test_postcodes_of_other_countries():
    for value, cut in (("2100", "210"), ("101", "10"), ("10115", "101"), ("110001", "110"), ("20359", "203")):
        assert generalized(value, "POSTCODE", digits=3, suppress_low_population=False) == cut


def test_today_is_today():
    operator = build_operator(Generalize(oldest=89), entity="DATE_OF_BIRTH", key=KEY)
    this_year = dt.datetime.now(dt.UTC).year
    assert run(operator, [f"{this_year - 95}-01-01"])[0].startswith("<=")
    assert run(operator, [f"{this_year - 50}-01-01"]) == [str(this_year - 50)]


def test_drop_has_no_value():
    with pytest.raises(PolicyError, match="drop"):
        built(Drop())


def test_errors_hold_no_values():
    array = pa.array([[("Jane", 1)]], pa.map_(pa.string(), pa.int64()))
    for spec in (Pseudonym(), Mask(), Surrogate(), DateShift()):
        with pytest.raises(ColumnError) as caught:
            run(built(spec), array)
        assert "Jane" not in f"{caught.value.message}{caught.value.hint}"


def test_tokens_of_other_keys_differ_in_the_part_that_names_the_key():
    (mine,), (other,) = run(built(Pseudonym()), ["a"]), run(built(Pseudonym(), key=OTHER), ["a"])
    assert TOKEN.fullmatch(mine)["key"] != TOKEN.fullmatch(other)["key"]
