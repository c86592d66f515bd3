"""What finds personal data in a text: Presidio's recognizers, rules, the tagger, Rampart."""

from privkit.deid.recognizers.build import build_detector, installed_detectors

__all__ = ["build_detector", "installed_detectors"]
