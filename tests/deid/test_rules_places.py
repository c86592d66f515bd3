"""Streets, postcodes, towns with their states: what is an address, and what is a street word in other use."""

from __future__ import annotations

import pytest

from privkit.deid.recognizers.rules.postcodes import DutchPostcodeRule, LabelledPostcodeRule, PostcodeRule
from privkit.deid.recognizers.rules.streets import StreetRule

RULES = (StreetRule("en"), PostcodeRule("en"), LabelledPostcodeRule("en"))


def places(text: str) -> list[str]:
    found = [one for rule in RULES for one in rule.analyze(text, ["LOCATION"]) if one.score >= 0.4]
    return [text[one.start : one.end] for one in found]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Lives at 12 Elm St, Springfield, IL 62704 now", "12 Elm St, Springfield, IL 62704"),
        ("742 Evergreen Terrace", "742 Evergreen Terrace"),
        ("1600 Pennsylvania Ave NW, Washington, DC 20500", "1600 Pennsylvania Ave NW, Washington, DC 20500"),
        ("123 N. 5th Street Apt 4B", "123 N. 5th Street Apt 4B"),
        ("45 W 34th St, #12, New York, NY 10001", "45 W 34th St, #12, New York, NY 10001"),
        ("12 MAIN STREET", "12 MAIN STREET"),
        ("221B Baker Street, London", "221B Baker Street"),
        ("12 Broadway", "12 Broadway"),
        ("Write to PSC 1234 Box 8731, APO AE 09012 soon", "PSC 1234 Box 8731, APO AE 09012"),
        ("USS Nimitz\nFPO AP 96620-2820", "USS Nimitz\nFPO AP 96620-2820"),
        ("> 31 Vest\n> Apt. 66\n> Urjala\n> Maldives 51262", "Apt. 66\n> Urjala\n> Maldives 51262"),
        ("500 Highway 61", "500 Highway 61"),
        ("I live at 12 oak tree lane, come by", "12 oak tree lane"),
        ("turn off at Elm Street.", "Elm Street"),
        ("12 St Mary Street", "12 St Mary Street"),
        ("P.O. Box 4567", "P.O. Box 4567"),
        ("po box 12", "po box 12"),
        ("Suite 776", "Suite 776"),
        ("Apt. 680", "Apt. 680"),
        ("Hauptstraße 5, 79098 Freiburg", "Hauptstraße 5, 79098 Freiburg"),
        ("Alte Landstr. 12a", "Alte Landstr. 12a"),
        ("Lindenring 3", "Lindenring 3"),
        ("in der Kaiserstraße war", "Kaiserstraße"),
        ("Keizersgracht 123, 1015 CJ Amsterdam", "Keizersgracht 123, 1015 CJ Amsterdam"),
        ("12 bis rue de la République, 75001 Paris", "12 bis rue de la République, 75001 Paris"),
        ("15 avenue Victor Hugo", "15 avenue Victor Hugo"),
        ("Calle Mayor 3, 28013 Madrid", "Calle Mayor 3, 28013 Madrid"),
        ("C/ de Alcalá, 45", "C/ de Alcalá, 45"),
        ("Via Roma 12, 00184 Roma (RM)", "Via Roma 12, 00184 Roma (RM)"),
        ("ul. Marszałkowska 10/12", "ul. Marszałkowska 10/12"),
        ("Storgatan 5", "Storgatan 5"),
        ("to SW1A 1AA by", "SW1A 1AA"),
        ("K1A 0B1", "K1A 0B1"),
        ("zip 90210", "90210"),
        ("ZIP code: 12345-6789", "12345-6789"),
        ("postcode is sw1a 1aa", "sw1a 1aa"),
        ("PLZ: 79098", "79098"),
        ("moved to Boston, TX last", "Boston, TX"),
        ("Springfield, Illinois 62704", "Springfield, Illinois 62704"),
        ("FPO AP 70381", "FPO AP 70381"),
        ("1234 AB Amsterdam", "1234 AB Amsterdam"),
        ("An der Alster 5,\n20099 Hamburg", "20099 Hamburg"),
        ("Ring 5, 1010 Wien", "1010 Wien"),
        ("CH-8001 Zürich", "CH-8001 Zürich"),
    ],
)
def test_an_address_is_found(text: str, wanted: str) -> None:
    assert wanted in places(text)


@pytest.mark.parametrize(
    "text",
    [
        "3 miles down the road",
        "box 12 and unit 4, 52 boxes",
        "the USS Nimitz at sea",
        "2 days on the road",
        "the street, a court, 2 court dates, his way",
        "5 minutes lane",
        "12 street food stalls",
        "Room 12, Chapter 3, floor 2",
        "Serial 123, Ticket 45678, Order 12345",
        "As of Spring 2007, During 1996, Remembering 25",
        "Brigade 25",
        "Dr. Smith",
        "John Smith, MD",
        "Jane Roe, MA",
        "in 1990 AD",
        "1500 MG",
        "2020 Census",
        "2000 US troops",
        "The price of 12345 Euros",
        "Paid $12 Main St",
        "via flight 22",
        "Suite of rooms",
        "suite à",
        "Wall Street Journal",
        "",
    ],
)
def test_what_is_no_address_is_left_alone(text: str) -> None:
    assert places(text) == []


def test_a_dutch_postcode_stands_alone_in_dutch_texts_only() -> None:
    text = "Postbezorging 1015 CJ"
    assert [(one.start, one.end) for one in DutchPostcodeRule("nl").analyze(text, ["LOCATION"])] == [(14, 21)]
    assert places(text) == []
