"""Streets with their house numbers, flats and post boxes, in the forms of several countries.

A street is a number and a name that ends in a word for a street (`12 Elm Street`), or a name that such a word begins or
ends, and a number (`Hauptstraße 5`, `calle Mayor 3`). The word alone (`the road`, `a court`) is no street.
"""

from __future__ import annotations

from privkit.deid.postal import STATES
from privkit.deid.recognizers.rules.postcodes import CAPITAL, TOWN
from privkit.deid.recognizers.rules.rule import PatternRule

_SURE, _LIKELY, _PLAUSIBLE = 0.9, 0.75, 0.5

# Between two parts of an address: spaces, a comma, one new line.
_GAP = r"[ \t]{0,3},?[ \t]{0,3}(?:\r?\n[ \t]{0,8})?,?[ \t]{0,3}"
_NOT_IN_NUMBER = r"(?<![\w.$€£#/-])"
# The next line, in a quoted mail too.
_LINE = r"[ \t]{0,3}\r?\n[ \t>?]{0,8}(?:\r?\n[ \t>?]{0,8})?"

# English ------------------------------------------------------------------------------------------------------------

_WORD = rf"(?:{CAPITAL}[\w'’.-]{{0,30}}|\d{{1,3}}(?:st|nd|rd|th|ST|ND|RD|TH))"
_SUFFIX = (
    r"(?:Street|St|Avenue|Ave?|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Way|Terrace|Terr?|Close|"
    r"Crescent|Cres|Parkway|Pkwy|Circle|Cir|Square|Sq|Highway|Hwy|Trail|Trl|Row|Gardens|Gdns|Grove|Hill|Mews|Walk|"
    r"Turnpike|Tpke|Pike|Loop|Run|Alley|Crossing|Landing|Ridge|Path|Parade|Esplanade|Quay|Wharf|Plaza|Heights|"
    r"Expressway|Freeway|STREET|AVENUE|AVE|ROAD|RD|LANE|LN|DRIVE|DR|BOULEVARD|BLVD|COURT|CT|PLACE|PL|WAY|TERRACE|"
    r"CLOSE|CRESCENT|PARKWAY|PKWY|CIRCLE|CIR|SQUARE|HIGHWAY|HWY|GARDENS|GROVE|HILL|ST)(?![\w'’-])\.?"
)
_COMPASS = r"(?:NE|NW|SE|SW|N|S|E|W|North|South|East|West)\.?"
_NUMBER = r"\d{1,6}[A-Za-z]?(?:[-/]\d{1,5}[A-Za-z]?)?"
_UNIT = (
    r"(?:(?i:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|bldg|building|lot|spc|space|box)\.? ?#? ?"
    r"(?:\d{1,5}-?[A-Za-z]?|[A-Za-z]-?\d{0,4})|\# ?\d{1,5}[A-Za-z]?)(?!\w)"
)
# What may follow a street: a flat, a town and a state, a postcode.
_REST = (
    rf"(?:{_GAP}{_UNIT})?"
    rf"(?:{_GAP}{TOWN}(?:,[ \t]{{0,3}}|[ \t]{{1,3}}){STATES}(?![\w.'’-])(?:,?[ \t]{{1,3}}\d{{5}}(?:-\d{{4}})?(?!\w))?)?"
)
_ROUTE = r"(?:Avenue|Ave|Highway|Hwy|Route|Rte|State Route|County Road|Calle|FM)(?: of the)?"
# In lower case only words that hardly mean anything else, and no words before them that make a phrase of them.
_NO_NAME = (
    r"(?:more|other|of|in|on|the|a|an|and|to|at|for|from|per|days?|weeks?|years?|hours?|minutes?|min|miles?|people|men|"
    r"women|different|large|small|new|old|is|was|are|were|by|with|off|down|up|this|that|my|your|our)"
)
_STREETS = r"(?:Street|Avenue|Ave|Road|Rd|Lane|Drive|Boulevard|Blvd)"

# Germanic -----------------------------------------------------------------------------------------------------------

_SHORT_STREETS = r"(?:Straße|Strasse|Str\.|Gasse|Weg|Platz|Allee|Ring|Damm|Ufer|Straat|Laan|Plein)"
# Not the endings of "Spring 2007", "During 1996", "Brigade 25".
_ENDINGS = (
    r"(?:straße|strasse|str\.|gasse|weg|platz|allee|(?:en|er|el|st|tz|lz)ring|damm|steig|chaussee|promenade|straat|laan|"
    r"plein|gracht|kade|singel|dijk|steeg|dreef|gatan|vägen|vej|(?<![Bb]ri)(?<![Rr]ene)gade|veien|gata|katu)"
)
_HOUSE = r"\d{1,4}(?: ?[a-zA-Z](?!\w))?(?:[-/]\d{1,4}[a-z]?)?(?![\w%€]|[.,]\d)"
_GERMANIC_TOWN = rf"(?:{_GAP}(?:(?:DE?|AT?|CH|NL|B)-)?\d{{4,5}}(?: ?[A-Z]{{2}}(?!\w))? {{1,2}}{TOWN})?"

# Romance ------------------------------------------------------------------------------------------------------------

_PARTICLES = (
    r"(?:(?:de la|de las|de los|de l['’]|de|du|des|del|della|dei|degli|delle|dell['’]|da|do|dos|das|d['’]|l['’]|la|le|"
    r"les|los|las|San|Santa|St|Saint) ?){0,2}"
)
_NAME = rf"{_PARTICLES}{CAPITAL}[\w'’.-]{{1,30}}(?: {_PARTICLES}{CAPITAL}[\w'’.-]{{1,30}}){{0,3}}"
_FRENCH_WORD = (
    r"(?i:rue|avenue|av\.|boulevard|bd\.?|place|chemin|impasse|quai|allée|route|cours|square|passage|sentier|"
    r"faubourg|villa|cité)"
)
_ROMANCE_WORD = (
    r"(?:(?i:calle|avda\.?|avenida|plaza|paseo|camino|carrera|ronda|rua|travessa|viale|piazza|piazzale|corso|vicolo|"
    r"largo|strada|contrada|via|av\.) |C/ ?)"
)


class StreetRule(PatternRule):
    """Finds streets, flats and post boxes."""

    entities = ("LOCATION",)
    searches = (
        (
            "Number and street",
            rf"{_NOT_IN_NUMBER}{_NUMBER},?[ \t]{{1,3}}(?:{_COMPASS}[ \t]{{1,3}})?(?:{_WORD}[ \t]{{1,3}}){{1,4}}?"
            + _SUFFIX
            + rf"(?:[ \t]{{1,3}}{_COMPASS}(?!\w))?{_REST}",
            _SURE,
        ),
        (
            "Number and numbered street",
            rf"{_NOT_IN_NUMBER}{_NUMBER}[ \t]{{1,3}}(?:{_COMPASS}[ \t]{{1,3}})?(?:Broadway|Bowery|{_ROUTE}[ \t]{{1,3}}"
            rf"(?:{CAPITAL}\w{{0,30}}|\d{{1,4}}))(?!\w){_REST}",
            _LIKELY,
        ),
        (
            "Number and street in lower case",
            rf"{_NOT_IN_NUMBER}\d{{1,5}}[a-z]?\s(?:(?!{_NO_NAME}\b)[a-z][a-z'’.-]{{1,15}}\s){{1,2}}?"
            r"(?:street|avenue|ave|blvd|boulevard|lane|ln|rd|road)(?![\w'’-])"
            r"(?!\s(?:map|view|food|art|cred|credit|trip|work|signs?|closures?))",
            0.7,
        ),
        (
            "Street after a preposition",
            r"(?:(?<=\b(?:[Oo]n|[Aa]t|[Ii]n|[Uu]p|[Tt]o|[Oo]f)\s)|(?<=\b(?:[Oo]ff|and)\s)|(?<=\b[Aa]long\s)"
            r"|(?<=\b(?:[Nn]ear|[Ff]rom|[Dd]own)\s))"
            rf"(?:{_WORD}\s){{1,3}}{_STREETS}(?![\w'’-]|\s{CAPITAL})",
            _PLAUSIBLE,
        ),
        (
            "Germanic street and number",
            rf"(?<![\w-])(?:(?:{CAPITAL}[\w.]{{0,30}}[- ]){{0,2}}{CAPITAL}[\w-]{{0,40}}{_ENDINGS}"
            rf"|(?:{CAPITAL}[\w.-]{{0,30}} ){{1,2}}{_SHORT_STREETS}) ?(?<!\w){_HOUSE}{_GERMANIC_TOWN}",
            _SURE,
        ),
        ("Germanic street", rf"(?<![\w-]){CAPITAL}[\w-]{{2,}}(?:straße|strasse|straat|gracht)(?![\w-])", _LIKELY),
        (
            "German street with a preposition",
            rf"(?<![\w-])(?:Am|An der|An den|Im|In der|Auf der|Auf dem|Unter den|Zum|Zur|Hinter der|Vor dem) "
            rf"{CAPITAL}[\w-]{{1,40}} {_HOUSE}(?={_GAP}(?:(?:D|A|CH)-)?\d{{4,5}} )",
            _LIKELY,
        ),
        (
            "French street",
            rf"(?<![\w.€/-])\d{{1,4}}(?: ?(?:bis|ter|quater|[A-D](?!\w)))?,? {_FRENCH_WORD} {_NAME}"
            rf"(?:{_GAP}(?:F-)?\d{{5}} {TOWN})?",
            _SURE,
        ),
        (
            "Street of Spain, Italy or Portugal",
            rf"(?<![\w-]){_ROMANCE_WORD}{_NAME},? ?(?:n[º°.]? ?|núm\.? ?)?(?<!\w){_HOUSE}"
            r"(?:, ?\d{1,2}[º°ª](?: ?\w{1,3}(?!\w))?)?"
            rf"(?:{_GAP}\d{{5}} {TOWN}(?: \([A-Z]{{2}}\))?)?",
            _LIKELY,
        ),
        (
            "Street of Poland or Hungary",
            rf"(?<!\w)(?:ul\.|ulica|al\.|os\.) (?:{CAPITAL}[\w.-]{{1,30}} ){{1,3}}"
            r"\d{1,4}[a-zA-Z]?(?:/\d{1,4})?(?!\w)"
            r"|(?<!\w)(?:[^\W\d_][\w.-]{1,30} ){1,3}(?:utca|útja|út|körút|tér|u\.|krt\.) \d{1,4}\b\.?",
            _LIKELY,
        ),
        (
            "Flat",
            r"(?<!\w)(?i:apt|apartment|suite|ste)\.?[ ]?#?[ ]?(?:\d{1,5}[A-Za-z]?|[A-Z]-?\d{1,4}|[A-Z])(?!\w|\.\d)",
            _LIKELY,
        ),
        (
            "Military post office",
            rf"(?<!\w)(?i:(?:(?:unit|psc|cmr|ops) \d{{1,5}}(?:,? box \d{{1,5}})?|us(?:s|ns|cgc|nv|cg) [\w'’-]{{2,30}}"
            rf"(?: [\w'’-]{{2,30}}){{0,2}}){_GAP}(?:apo|fpo|dpo),? a[aep],? \d{{5}}(?:-\d{{4}})?)(?!\w)",
            _SURE,
        ),
        # Between a flat and a country with its postcode there is a town, whatever it is called.
        (
            "Line of a town",
            rf"(?<!\w)(?i:apt|apartment|suite|ste|unit)\.? ?\d{{1,5}}{_LINE}[^\W\d_][^\n\d,;:!?@]{{1,40}}{_LINE}"
            r"[^\W\d_][^\n\d,;:!?@]{2,40} \d{4,6}(?=[ \t]*(?:[\n,.;]|\Z))",
            _LIKELY,
        ),
        (
            "Post box",
            r"(?<!\w)(?i:p\.? ?o\.? ?box|post(?:al)? (?:office )?box|postfach|postbus|casella postale|"
            r"apartado(?: de correos)?|bo[iî]te postale) #?\d{1,6}(?: \d{2,3})?(?!\w)",
            _SURE,
        ),
    )
