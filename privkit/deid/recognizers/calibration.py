"""From the scores that recognizers give to the share of such findings that are right.

Presidio's scores are opinions of the patterns' authors: an e-mail address is 0.5 before its domain was looked at, any
telephone number is 0.4, whatever spaCy says is 0.85 though not one DATE in five is a date. Here each becomes the share
of findings of its kind that were right on development data, so that one threshold means the same for all.

Not all of the table is measured, and each block says which it is. What was measured was measured on development data:
the synthetic texts of presidio-research, and web, encyclopaedia and social texts (UNER EWT, wikigold, WNUT-17, Broad
Twitter Corpus). These mark no addresses of pages or mail, no numbers and no dates, so for such kinds only the synthetic
texts count, and samples of the others were looked at. Recognizers that are not in the table keep their scores: a
policy's own, and the rules, whose scores were set by hand and compared with the same data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from privkit.deid.findings import Finding

# By recognizer and entity: from which score of the recognizer on, which share. The first that is reached counts.
_SHARES: Mapping[tuple[str, str], tuple[tuple[float, float], ...]] = {
    # Measured where a number of findings stands (all right on the synthetic texts, which have no hard cases for them);
    # the other steps of these, lower scores above all, are set by hand: 212 cards, 28 IBANs, 58 addresses, 11, 44.
    ("CreditCardRecognizer", "CREDIT_CARD"): ((0.99, 1.0), (0.6, 0.5), (0.0, 0.2)),
    ("IbanRecognizer", "IBAN_CODE"): ((0.99, 1.0), (0.8, 0.95), (0.5, 0.6), (0.0, 0.2)),
    ("EmailRecognizer", "EMAIL_ADDRESS"): ((0.99, 1.0), (0.5, 0.8), (0.0, 0.4)),
    ("IpRecognizer", "IP_ADDRESS"): ((0.9, 0.98), (0.6, 0.9), (0.4, 0.5), (0.0, 0.1)),
    ("UrlRecognizer", "URL"): ((0.8, 0.97), (0.6, 0.95), (0.5, 0.7), (0.0, 0.3)),
    ("UsSsnRecognizer", "US_SSN"): ((0.8, 0.98), (0.5, 0.75), (0.4, 0.6), (0.0, 0.05)),
    # Set by hand: the development data has none of them, or one.
    ("CryptoRecognizer", "CRYPTO"): ((0.99, 1.0), (0.0, 0.2)),
    ("MacAddressRecognizer", "MAC_ADDRESS"): ((0.6, 0.97), (0.0, 0.3)),
    ("UuidRecognizer", "UUID"): ((0.5, 0.8), (0.0, 0.3)),
    ("UsItinRecognizer", "US_ITIN"): ((0.8, 0.9), (0.6, 0.6), (0.5, 0.5), (0.4, 0.35), (0.0, 0.1)),
    ("MedicalLicenseRecognizer", "MEDICAL_LICENSE"): ((0.99, 0.8), (0.7, 0.6), (0.0, 0.25)),
    # Measured: means over the development files of training/data.toml, 2,700 persons and 2,100 places. It is sure
    # too early: of what it gives .7, half are persons.
    ("TaggerRecognizer", "PERSON"): (
        *((0.999, 0.96), (0.995, 0.92), (0.99, 0.89), (0.98, 0.8), (0.95, 0.77), (0.8, 0.59), (0.6, 0.51)),
        *((0.4, 0.4), (0.0, 0.26)),
    ),
    ("TaggerRecognizer", "LOCATION"): (
        *((0.999, 0.99), (0.98, 0.95), (0.95, 0.93), (0.8, 0.8), (0.7, 0.7), (0.6, 0.63), (0.4, 0.4), (0.0, 0.25)),
    ),
    # DATE_TIME: measured before, .15 to .17. The others are estimates from the model's F1 on the same kinds of text.
    ("SpacyRecognizer", "PERSON"): ((0.8, 0.6), (0.0, 0.4)),
    ("SpacyRecognizer", "LOCATION"): ((0.8, 0.6), (0.0, 0.4)),
    ("SpacyRecognizer", "DATE_TIME"): ((0.0, 0.17),),
    # Set by hand after looking at samples. Persons, places and licences come with shares already (`agreement`).
    ("RampartRecognizer", "PHONE_NUMBER"): ((0.75, 0.9), (0.6, 0.6), (0.0, 0.35)),
    ("RampartRecognizer", "EMAIL_ADDRESS"): ((0.95, 0.9), (0.7, 0.6), (0.0, 0.3)),
    ("RampartRecognizer", "URL"): ((0.5, 0.9), (0.0, 0.5)),
    ("RampartRecognizer", "US_SSN"): ((0.7, 0.95), (0.0, 0.6)),
}

# A checksum that one in eleven numbers of ten digits has, telephone numbers among them.
_HEALTH_SERVICE = re.compile(r"\bNHS\b|\bhealth (?:service|authority)\b", re.IGNORECASE)

_MOST_DIGITS = 11  # without a country's code
_ODD = re.compile(r"\d\s?[/.]\s|\s/")  # times, coordinates, parts of paths
_GROUPED = re.compile(r"\d[\s().\-/]+\d|[+(]")
# "Ticket number 20255501": presidio takes "number" for support of a telephone number.
_OTHER_NUMBER = re.compile(
    r"\b(?:ticket|order|serial|invoice|case|ref(?:erence)?|account|acct|mrn|record|tracking|confirmation|booking|policy|"
    r"claim|card|licen[cs]e|passport|vin|part|model|isbn|issn|doi|version|build|id|sku|batch|lot|asset|po|job|room|"
    r"rechnung|auftrag|kunden|vorgangs?|commande|facture|dossier|pedido|factura|ordine|fattura|bestelling|factuur)"
    r"[\s\-]{0,2}(?:numbers?|no|num|nr|id|nummer|numéro|número|numero|code|n[°º])?\.?\W{0,3}(?:(?:is|was|of)\s)?$",
    re.IGNORECASE,
)
_LOOK_BACK = 30

# "done.So", "e.g.this": the end of a sentence, a space forgotten, and a suffix that some country has.
_JOINED_SENTENCES = re.compile(r"[^\W\d_]+[a-z]\.[A-Z][a-z]{1,3}|(?:[a-z]\.){1,3}[a-z]{2,4}")
_ADDRESS_OF_PAGE = re.compile(r"[/@:?=]|^www\.", re.IGNORECASE)


def calibrated(text: str, finding: Finding) -> Finding:
    """The finding with the share of findings of its kind that are right as its score.

    Args:
        text: Where it was found; of some kinds the form, and the words before, decide.
        finding: As a recognizer gave it.
    """
    score = _share(text, finding)
    return finding if score == finding.score else finding._replace(score=score)


def _share(text: str, finding: Finding) -> float:
    name = finding.recognizer
    if name == "PhoneRecognizer":
        return _phone(text, finding)
    if name == "NhsRecognizer":
        return 0.95 if _HEALTH_SERVICE.search(text) else 0.3
    steps = _SHARES.get((name, finding.entity))
    if steps is None:
        return finding.score
    if name == "UrlRecognizer":
        found = text[finding.start : finding.end]
        if not _ADDRESS_OF_PAGE.search(found) and _JOINED_SENTENCES.fullmatch(found):
            return 0.2
    return next(share for least, share in steps if finding.score >= least)


def _phone(text: str, finding: Finding) -> float:
    found = text[finding.start : finding.end]
    if _OTHER_NUMBER.search(text, max(finding.start - _LOOK_BACK, 0), finding.start):
        return 0.2
    supported = finding.score > 0.5
    if _ODD.search(found) or (sum(map(str.isdigit, found)) > _MOST_DIGITS and "+" not in found):
        return 0.3
    if _GROUPED.search(found):
        return 0.9 if supported else 0.7
    if supported:
        return 0.65
    # Ten digits and more that are a valid number; fewer are valid somewhere by chance.
    return 0.45 if len(found) in (10, 11) else 0.3
