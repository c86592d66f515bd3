"""What stands beside numbers that every country has, by language: Presidio's own context words are English.

Presidio asks whether a word of the text contains one of these, in lower case: `telefon` serves Telefonnummer as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# entity: language: words
_WORDS: Mapping[str, Mapping[str, str]] = {
    "PHONE_NUMBER": {
        "de": "telefon tel fon handy mobil rufnummer anruf durchwahl fax",
        "fr": "téléphone telephone tél tel portable mobile fixe appel joindre fax",
        "es": "teléfono telefono tel tfno móvil movil celular llamar fax",
        "it": "telefono tel cellulare cell mobile chiamare fax",
        "nl": "telefoon tel mobiel gsm bellen bereikbaar fax",
        "pt": "telefone tel telemóvel telemovel celular ligar fax",
        "pl": "telefon tel komórka kom. zadzwonić faks",
        "sv": "telefon tel mobil ring fax",
        "da": "telefon tlf mobil ring fax",
        "nb": "telefon tlf mobil ring faks",
        "nn": "telefon tlf mobil ring faks",
        "fi": "puhelin puh matkapuhelin gsm soita",
        "cs": "telefon tel mobil volat",
        "tr": "telefon tel cep gsm ara",
    },
    "CREDIT_CARD": {
        "de": "kreditkarte karte kartennummer visa mastercard amex maestro girocard",
        "fr": "carte bancaire cb visa mastercard amex maestro",
        "es": "tarjeta crédito credito visa mastercard amex maestro",
        "it": "carta credito visa mastercard amex maestro bancomat",
        "nl": "creditcard kaart kaartnummer visa mastercard amex maestro bankpas",
        "pt": "cartão cartao crédito visa mastercard amex maestro multibanco",
        "pl": "karta karty kredytowa visa mastercard amex maestro",
        "sv": "kort kreditkort kortnummer visa mastercard amex",
        "da": "kort kreditkort kortnummer dankort visa mastercard",
        "nb": "kort kredittkort kortnummer visa mastercard",
        "nn": "kort kredittkort kortnummer visa mastercard",
        "fi": "kortti luottokortti visa mastercard",
        "cs": "karta kreditní visa mastercard",
        "tr": "kart kredi visa mastercard",
    },
    "IBAN_CODE": {
        "de": "iban konto bank bankverbindung überweisung lastschrift",
        "fr": "iban compte banque rib virement",
        "es": "iban cuenta banco transferencia",
        "it": "iban conto banca bonifico",
        "nl": "iban rekening bank overschrijving",
        "pt": "iban conta banco transferência",
        "pl": "iban konto rachunek bank przelew",
        "sv": "iban konto bank",
        "da": "iban konto bank",
        "nb": "iban konto bank",
        "nn": "iban konto bank",
        "fi": "iban tili pankki",
        "cs": "iban účet banka",
        "tr": "iban hesap banka",
    },
    "DATE_TIME": {
        "de": "datum geburtsdatum geboren geb geburtstag",
        "fr": "date naissance né née ddn anniversaire",
        "es": "fecha nacimiento nacido nacida cumpleaños",
        "it": "data nascita nato nata compleanno",
        "nl": "datum geboortedatum geboren geb verjaardag",
        "pt": "data nascimento nascido nascida aniversário",
        "pl": "data urodzenia urodzony urodzona ur.",
        "sv": "datum födelsedatum född",
        "da": "dato fødselsdato født",
        "nb": "dato fødselsdato født",
        "nn": "dato fødselsdato fødd",
        "fi": "päivämäärä syntymäaika syntynyt",
        "cs": "datum narození narozen",
        "tr": "tarih doğum",
    },
    "IP_ADDRESS": {
        "de": "ip adresse", "fr": "ip adresse", "es": "ip dirección", "it": "ip indirizzo", "nl": "ip adres",
        "pt": "ip endereço", "pl": "ip adres",
    },
    "CRYPTO": {
        "de": "wallet bitcoin btc krypto", "fr": "portefeuille bitcoin btc crypto", "es": "monedero bitcoin btc cripto",
        "it": "portafoglio bitcoin btc cripto", "nl": "wallet bitcoin btc crypto", "pt": "carteira bitcoin btc cripto",
        "pl": "portfel bitcoin btc krypto",
    },
}  # fmt: skip


def words_of(language: str) -> Mapping[str, tuple[str, ...]]:
    """Context words by entity, for one language; empty for one that there are none for."""
    return MappingProxyType(
        {entity: tuple(words[language].split()) for entity, words in _WORDS.items() if language in words}
    )
