"""Numbers that countries give to people, and everybody's numbers in the words of other languages than English."""

from privkit.deid.recognizers.countries.identifier import Identifier, NationalIdRecognizer
from privkit.deid.recognizers.countries.registry import country_recognizers, identifiers, localized_registry

__all__ = ["Identifier", "NationalIdRecognizer", "country_recognizers", "identifiers", "localized_registry"]
