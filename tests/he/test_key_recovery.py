"""Why nobody but the key's owner may see a CKKS result: two shared decryptions give the secret key away.

Li and Micciancio (Eurocrypt 2021, eprint 2020/1533). In CKKS the error is part of the result. Whoever has the
ciphertext (c0, c1) and the polynomial m that it decrypts to has a linear equation for the key: c0 + c1·s = m. TenSEAL
gives away the real parts of the slots, which is m + m(1/X): two such results are two equations for each pair of the
key's values. A study offers no way to do this: what it decrypts is exact integers with the parties' noise in them.
"""

import numpy as np
import tenseal
from tenseal import sealapi

from privkit.he.encoding import Reader
from privkit.he.objects import unpack
from privkit.he.structure import ciphertext_form, parms_id, secret_form

DEGREE, SCALE = 8192, 2.0**40
CKKS = 2


def _settings():
    numbers = sealapi.EncryptionParameters(sealapi.SCHEME_TYPE.CKKS)
    numbers.set_poly_modulus_degree(DEGREE)
    numbers.set_coeff_modulus(sealapi.CoeffModulus.Create(DEGREE, [60, 40, 60]))
    return sealapi.SEALContext(numbers, True, sealapi.SEC_LEVEL_TYPE.TC128)


def _words(inner, form, polynomials):
    words = np.frombuffer(inner, "<u8", offset=len(form.head)).reshape(polynomials, -1, DEGREE)
    return words[:, 0].astype(object)  # modulo the first prime


def _halves(content, moduli):
    """c0 and c1 modulo the first prime, in NTT form, from the bytes that an aggregator holds."""
    form = ciphertext_form(parms_id(CKKS, DEGREE, moduli[:-1], 0), DEGREE, moduli[:-1], ntt=True, scale=SCALE)
    reader = Reader(content)
    reader.expect(b"\x0a\x02\x80\x20", "sizes")
    inner = unpack(reader.field(b"\x12", 2 * form.size), form.size)
    form.check(inner)
    return _words(inner, form, 2)


def _recovered(shared, moduli):
    """The key's values modulo the first prime, from two (ciphertext bytes, decrypted values): all that is shared."""
    encoder, q = sealapi.CKKSEncoder(_settings()), moduli[0]
    equations = []
    for content, decrypted in shared:
        plain = sealapi.Plaintext()
        encoder.encode((2 * decrypted).tolist(), SCALE, plain)
        doubled = np.array([plain[place] for place in range(DEGREE)], dtype=object)
        c0, c1 = _halves(content, moduli)
        # X to 1/X turns the order of SEAL's NTT around: value i and value N - 1 - i are a pair.
        equations.append(((doubled - c0 - c0[::-1]) % q, c1, c1[::-1]))
    (left, a, b), (right, c, d) = equations
    determinant = (a * d - b * c) % q
    inverse = np.array([pow(int(value), -1, q) for value in determinant], dtype=object)
    return (left * d - right * b) * inverse % q


def _shared(key, public, parties, numbers):
    """An aggregate as the aggregator holds it, and what the key's owner reads in it."""
    total = tenseal.ckks_vector(public, numbers.normal(size=DEGREE // 2))
    for _ in range(parties - 1):
        total += tenseal.ckks_vector(public, numbers.normal(size=DEGREE // 2))
    return total.serialize(), np.array(tenseal.ckks_vector_from(key, total.serialize()).decrypt())


def _true_key(key, moduli):
    form = secret_form(parms_id(CKKS, DEGREE, moduli, 0), DEGREE, moduli)
    alone = key.serialize(save_public_key=False, save_secret_key=True, save_galois_keys=False, save_relin_keys=False)
    reader = Reader(alone)
    reader.field(b"\x0a", len(alone))
    reader.field(b"\x12", len(alone))
    key_field = Reader(reader.field(b"\x1a", len(alone))).field(b"\x0a", len(alone))
    return _words(unpack(key_field, form.size), form, 1)[0]


def test_two_shared_results_give_the_secret_key_away():
    key = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS, poly_modulus_degree=DEGREE, coeff_mod_bit_sizes=[60, 40, 60], n_threads=1
    )
    key.global_scale = SCALE
    public = tenseal.context_from(key.serialize(save_secret_key=False), n_threads=1)
    moduli = tuple(modulus.value() for modulus in sealapi.CoeffModulus.Create(DEGREE, [60, 40, 60]))
    numbers = np.random.default_rng(1)
    shared = [_shared(key, public, 3, numbers) for _ in range(2)]
    found, true = _recovered(shared, moduli), _true_key(key, moduli)
    assert (found == true).all()
    # The control: with results off by a rounding to six digits, the same arithmetic gives nothing.
    rounded = [(content, np.round(values, 6)) for content, values in shared]
    assert (_recovered(rounded, moduli) == true).mean() < 0.01
