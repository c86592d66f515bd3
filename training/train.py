"""Trains the tagger.

    python training/train.py --gold FOLDER --start start.npz --out tagger.npz --minutes 80

Reads the corpora that data.toml lists for training (never those for development), makes texts from the templates in a
second process, and writes the parameters as float32, averaged over the steps; `pack.py` makes the package's file of it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from corpora import corpora
from texts import Corpus, Example, Templates, Text, example, read_iob
from values import Names, Values, gazetteer

from privkit.deid.recognizers.tagger.decode import TAGS, decode
from privkit.deid.recognizers.tagger.words import CHANCES, CLUSTERS, FLAGS, NGRAM_ROWS, Forms, Lexicon, words_of

LANGUAGES = {"en": 0.83, "de": 0.045, "fr": 0.035, "es": 0.035, "it": 0.025, "nl": 0.03}
WIDTH, PIECES, NGRAM_WIDTH, CLUSTER_WIDTH, DEPTH = 96, 3, 64, 32, 5
TOKENS, TYPES, TEXTS = 2048, 1536, 512
# How far the window of each layer reaches.
REACH = (1, 1, 1, 1, 3)


# The network


def initial(start: Any, key: Any) -> dict[str, Any]:
    """Parameters: those of the model that it starts from, small numbers for what that had not."""
    keys = iter(jax.random.split(key, 20))
    normal = lambda scale, *shape: scale * jax.random.normal(next(keys), shape)
    # spaCy keeps the pieces of one output side by side; here each piece is a block.
    pieces = lambda array: np.moveaxis(array, 1, 0).reshape(WIDTH * PIECES, -1)
    mixer = pieces(start["W0"])
    extra = normal(0.03, WIDTH * PIECES, WIDTH + NGRAM_WIDTH + CLUSTER_WIDTH + CHANCES + FLAGS)
    parameters = {
        "projection": jnp.asarray(start["projection"]),
        "titled": jnp.asarray(start["projection"]),
        "ngrams": normal(0.1, NGRAM_ROWS, NGRAM_WIDTH),
        "clustered": normal(0.1, CLUSTERS, CLUSTER_WIDTH),
        "mixer.W": jnp.concatenate([jnp.asarray(mixer), extra], axis=1),
        "mixer.b": jnp.asarray(pieces(start["b0"])[:, 0]),
        "mixer.gain": jnp.asarray(start["gain0"]),
        "mixer.shift": jnp.asarray(start["shift0"]),
        "global": normal(0.02, WIDTH * PIECES, 2 * WIDTH),
        "head.W": normal(0.05, len(TAGS), WIDTH),
        "head.b": jnp.zeros(len(TAGS)),
    }
    for i in range(4):
        parameters[f"hashed{i}"] = jnp.asarray(start[f"hashed{i}"])
        parameters |= {
            f"block{i}.W": jnp.asarray(pieces(start[f"W{i + 1}"])),
            f"block{i}.b": jnp.asarray(pieces(start[f"b{i + 1}"])[:, 0]),
            f"block{i}.gain": jnp.asarray(start[f"gain{i + 1}"]),
            f"block{i}.shift": jnp.asarray(start[f"shift{i + 1}"]),
        }
    for i in range(4, DEPTH):
        parameters |= {
            f"block{i}.W": normal((1 / (3 * WIDTH)) ** 0.5, WIDTH * PIECES, 3 * WIDTH),
            f"block{i}.b": jnp.zeros(WIDTH * PIECES),
            f"block{i}.gain": 0.1 * jnp.ones(WIDTH),
            f"block{i}.shift": jnp.zeros(WIDTH),
        }
    return parameters


def learning_speeds(parameters: dict[str, Any], slower: float) -> dict[str, Any]:
    """A factor of the learning rate for each parameter: `slower` for what was trained before."""
    old = ("hashed", "projection", "mixer", *(f"block{i}." for i in range(4)))
    speeds = {name: slower if name.startswith(old) else 1.0 for name in parameters}
    width = 5 * WIDTH  # of the mixer's inputs, those that it had
    speeds["mixer.W"] = jnp.where(jnp.arange(parameters["mixer.W"].shape[1]) < width, slower, 1.0)
    return speeds


def maxout(x: Any) -> Any:
    """The largest of the pieces, normalised over the width."""
    first, second, third = jnp.split(x, PIECES, axis=-1)
    best = jnp.maximum(jnp.maximum(first, second), third)
    centred = best - best.mean(-1, keepdims=True)
    return centred / jnp.sqrt(best.var(-1, keepdims=True) + 1e-8)


def dropped(x: Any, rate: float, key: Any) -> Any:
    """Dropout; nothing where there is no key."""
    if key is None or rate == 0:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def logits(p: dict[str, Any], vectors: Any, batch: dict[str, Any], key: Any = None, dropout: float = 0.0) -> Any:
    """Logits of `TAGS` for each token, shape (TOKENS, 11)."""
    keys = [None] * 20 if key is None else list(jax.random.split(key, 20))
    hashed = [p[f"hashed{i}"][batch["hashed"][:, i]].sum(1) for i in range(4)]
    exact = vectors[batch["exact"]] @ p["projection"].T
    titled = vectors[batch["titled"]] @ p["titled"].T
    grams = batch["ngrams"]
    known = (grams > 0)[..., None]
    ngrams = (p["ngrams"][grams] * known).sum(1) / jnp.maximum(known.sum(1), 1) ** 0.5
    clusters = p["clustered"][batch["clusters"]]
    parts = [*hashed, exact, titled, ngrams, clusters, batch["chances"], batch["flags"]]
    if key is not None:
        # Whole parts are hidden from time to time: a name that no list holds must still be one.
        rates = (0.06, 0.0, 0.05, 0.03, 0.08, 0.10, 0.08, 0.10, 0.10, 0.30)
        parts = [
            jnp.where(jax.random.bernoulli(k, 1 - rate, (len(part), 1)), part, 0) if rate else part
            for part, rate, k in zip(parts, rates, keys[10:], strict=False)
        ]
    x = maxout(jnp.concatenate(parts, axis=1) @ p["mixer.W"].T + p["mixer.b"]) * p["mixer.gain"] + p["mixer.shift"]
    x = dropped(x[batch["ids"]], dropout, keys[0])
    text, live = batch["text"], batch["live"][:, None]
    for i in range(DEPTH):
        reach = REACH[i]
        before = jnp.where((jnp.roll(text, reach) == text)[:, None], jnp.roll(x, reach, axis=0), 0)
        after = jnp.where((jnp.roll(text, -reach) == text)[:, None], jnp.roll(x, -reach, axis=0), 0)
        y = jnp.concatenate([before, x, after], axis=1) @ p[f"block{i}.W"].T + p[f"block{i}.b"]
        if i == DEPTH - 1:
            sums = jax.ops.segment_sum(x * live, text, TEXTS)
            counts = jax.ops.segment_sum(live, text, TEXTS)
            most = jax.ops.segment_max(jnp.where(live > 0, x, -1e9), text, TEXTS)
            most = jnp.where(counts > 0, most, 0)
            y += (jnp.concatenate([sums / jnp.maximum(counts, 1), most], axis=1) @ p["global"].T)[text]
        x = x + dropped(maxout(y) * p[f"block{i}.gain"] + p[f"block{i}.shift"], dropout, keys[1 + i])
    return x @ p["head.W"].T + p["head.b"]


def loss(p: dict[str, Any], vectors: Any, batch: dict[str, Any], key: Any, dropout: float) -> Any:
    """Mean cross-entropy of the tokens that count."""
    chances = jax.nn.log_softmax(logits(p, vectors, batch, key, dropout))
    each = -jnp.take_along_axis(chances, batch["tags"][:, None], axis=1)[:, 0]
    return (each * batch["weights"]).sum() / jnp.maximum(batch["weights"].sum(), 1)


# Batches


class Vocabulary:
    """Every word seen, with its features."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self.ids: dict[str, int] = {}
        self._pending: list[str] = []
        self._parts: list[np.ndarray] | None = None

    def add(self, forms: Sequence[str]) -> np.ndarray:
        """Numbers of words."""
        out = np.empty(len(forms), dtype=np.int32)
        for i, form in enumerate(forms):
            number = self.ids.get(form)
            if number is None:
                number = self.ids[form] = len(self.ids)
                self._pending.append(form)
            out[i] = number
        return out

    def features(self, numbers: np.ndarray) -> list[np.ndarray]:
        """Features of words, by number."""
        if self._pending:
            new = self._lexicon.features(self._pending)
            have = len(self.ids) - len(self._pending)
            if self._parts is None:
                self._parts = [np.zeros((1 << 17, *part.shape[1:]), part.dtype) for part in new]
            while len(self._parts[0]) < len(self.ids):
                self._parts = [np.concatenate([part, np.zeros_like(part)]) for part in self._parts]
            for part, some in zip(self._parts, new, strict=True):
                part[have : have + len(some)] = some
            self._pending = []
        assert self._parts is not None
        return [part[numbers] for part in self._parts]


Encoded = tuple[np.ndarray, np.ndarray, np.ndarray]


def batches(texts: Sequence[Encoded], vocabulary: Vocabulary) -> Iterator[dict[str, np.ndarray]]:
    """Texts laid end to end, as many as fit; a text that is too long is cut."""
    some: list[Encoded] = []
    size = 0
    for ids, tags, weights in texts:
        for at in range(0, len(ids), 400):
            piece = ids[at : at + 400], tags[at : at + 400], weights[at : at + 400]
            if size + len(piece[0]) > TOKENS or len(some) == TEXTS - 1:
                yield packed(some, vocabulary)
                some, size = [], 0
            some.append(piece)
            size += len(piece[0])
    if some:
        yield packed(some, vocabulary)


def packed(texts: Sequence[Encoded], vocabulary: Vocabulary) -> dict[str, np.ndarray]:
    """Arrays of fixed shapes."""
    ids = np.concatenate([each[0] for each in texts])
    count = len(ids)
    numbers, inverse = np.unique(ids, return_inverse=True)
    if len(numbers) > TYPES:  # hardly ever: leave texts out until it fits
        return packed(texts[: len(texts) * 3 // 4], vocabulary)
    fill = lambda array, size: np.concatenate([array, np.zeros((size - len(array), *array.shape[1:]), array.dtype)])
    names = ("hashed", "exact", "titled", "ngrams", "clusters", "chances", "flags")
    batch = {name: fill(part, TYPES) for name, part in zip(names, vocabulary.features(numbers), strict=True)}
    batch["ids"] = fill(inverse.astype(np.int32), TOKENS)
    batch["tags"] = fill(np.concatenate([each[1] for each in texts]), TOKENS)
    batch["weights"] = fill(np.concatenate([each[2] for each in texts]), TOKENS)
    text = np.repeat(np.arange(len(texts), dtype=np.int32), [len(each[0]) for each in texts])
    batch["text"] = np.concatenate([text, np.full(TOKENS - count, TEXTS - 1, np.int32)])
    batch["live"] = (np.arange(TOKENS) < count).astype(np.float32)
    return batch


# Data

_templates: Templates | None = None


def _start_worker() -> None:
    global _templates
    os.nice(5)
    random_ = random.Random(os.getpid())
    _templates = Templates(Names(random_), random_, LANGUAGES)


def synthetic(seed: int, count: int) -> list[Example]:
    """Texts from templates, in a worker process."""
    assert _templates is not None
    _templates._random.seed(seed)
    made = (example(_templates.one(), dated=True) for _ in range(count))
    return [each for each in made if each is not None]


def common_words(gold: Sequence[Text]) -> list[str]:
    """Words that stand in lower case outside every span, three times or more."""
    counts: dict[str, int] = {}
    for text in gold:
        words = words_of(text.text)
        for form, start in zip(words.forms, words.starts, strict=True):
            if form.islower() and form.isalpha() and not any(a <= start < b for a, b, _ in text.spans):
                counts[form] = counts.get(form, 0) + 1
    return [word for word, count in counts.items() if count > 2]


def spans_f1(found: Sequence[tuple[int, int]], true: Sequence[tuple[int, int]]) -> np.ndarray:
    """Found that overlap a true one, found, true that overlap a found one, true."""
    hit = sum(any(a < d and c < b for c, d in true) for a, b in found)
    covered = sum(any(a < d and c < b for c, d in found) for a, b in true)
    return np.array([hit, len(found), covered, len(true)], dtype=float)


def main() -> None:
    """Trains."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gold", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--synthetic", type=int, default=22000, help="Texts from templates an epoch.")
    parser.add_argument("--times", type=int, default=2, help="How often the corpora are read an epoch.")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--decay", type=float, default=0.01, help="Of the weights, a step, times the rate.")
    parser.add_argument(
        "--slower", type=float, default=0.2, help="Factor of the rate for what comes from the model it starts from."
    )
    given = parser.parse_args()
    random_ = random.Random(3)
    start = np.load(given.start)
    gold = [text for path in corpora(given.gold, "training") for text in read_iob(path)]
    names = Names(random.Random(5))
    table = gazetteer(names, common_words(gold))
    forms = start["forms"].tobytes().decode().split("\n")
    known = Forms(
        {form: number for number, form in enumerate(forms)}, start["rows"], start["chances"], start["clusters"]
    )
    lexicon = Lexicon(known, table)
    vectors = jnp.concatenate([jnp.zeros((1, start["vectors"].shape[1])), jnp.asarray(start["vectors"])])
    vocabulary = Vocabulary(lexicon)
    corpus = Corpus(gold, Values(names, "en", random_), random_)

    def encoded(one: Example) -> Encoded:
        return vocabulary.add(one.forms), np.array(one.tags, np.int32), np.array(one.weights, np.float32)

    dev = development(given.gold)
    parameters = initial(start, jax.random.key(1))
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0), optax.scale_by_adam(b2=0.995), optax.add_decayed_weights(given.decay)
    )
    state = optimizer.init(parameters)
    speeds = learning_speeds(parameters, given.slower)
    average = parameters

    @jax.jit
    def step(p: Any, state: Any, average: Any, batch: Any, key: Any, rate: Any, decay: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(p, vectors, batch, key, given.dropout)
        updates, state = optimizer.update(gradients, state, p)
        p = jax.tree.map(lambda x, u, speed: x - rate * speed * u, p, updates, speeds)
        average = jax.tree.map(lambda a, x: decay * a + (1 - decay) * x, average, p)
        return p, state, average, value

    predict = jax.jit(lambda p, batch: jax.nn.softmax(logits(p, vectors, batch)))
    key = jax.random.key(2, impl="rbg")
    began, tokens, steps, mean = time.time(), 0, 0, 1.0
    spent = 0.0  # on looking at development data
    with ProcessPoolExecutor(1, get_context("spawn"), _start_worker) as pool:
        coming = pool.submit(synthetic, 100, given.synthetic)
        epoch = 0
        looked = best = 0.0
        while True:
            epoch += 1
            made = coming.result()
            coming = pool.submit(synthetic, 100 + epoch, given.synthetic)
            texts = [encoded(each) for each in made]
            golden = (example(text, dated=False) for _ in range(given.times) for text in corpus.epoch())
            texts += [encoded(each) for each in golden if each is not None]
            random_.shuffle(texts)
            for batch in batches(texts, vocabulary):
                part = (time.time() - began - spent) / (60 * given.minutes)
                if part > 1:
                    break
                rate = given.rate * min(1.0, (steps + 1) / 300) * max(0.02, 1 - part)
                steps += 1
                parameters, state, average, value = step(
                    parameters,
                    state,
                    average,
                    batch,
                    jax.random.fold_in(key, steps),
                    rate,
                    min(0.999, 1 - 1 / (steps + 10)),
                )
                tokens += int(batch["live"].sum())
                if steps % 50 == 0:
                    mean = 0.8 * mean + 0.2 * float(value)
            now = time.time()
            rate_ = tokens / (now - began - spent)
            print(
                f"epoch {epoch} steps {steps} {tokens / 1e6:.1f}M words {rate_:.0f}/s loss {mean:.4f} types {len(vocabulary.ids)} {(now - began) / 60:.1f} min",
                flush=True,
            )
            if part > 1 or now - looked > 120:
                score = look(average, predict, dev, vocabulary)
                if score > best:
                    best = score
                    save(given.out, average, vectors, start, table)
                looked = time.time()
                spent += looked - now
            if part > 1:
                break


def development(folder: Path) -> dict[str, list[Text]]:
    """Texts that the training is watched with, and never learns from."""
    kinds = {"PERSON": "PERSON", **dict.fromkeys(("LOCATION", "ADDRESS"), "LOCATION")}
    sets = {}
    for path in corpora(folder, "development"):
        if path.suffix == ".json":
            sets[path.stem] = [
                Text(
                    one["full_text"],
                    [(s["start_position"], s["end_position"], kinds.get(s["entity_type"], "")) for s in one["spans"]],
                )
                for one in json.loads(path.read_text(encoding="utf-8"))
            ]
        else:
            wide = path.suffix == ".iob2"
            sets[path.stem] = read_iob(path, token=int(wide), tag=2 if wide else -1, tabs=wide)
    return sets


def look(p: Any, predict: Any, dev: dict[str, list[Text]], vocabulary: Vocabulary, threshold: float = 0.5) -> float:
    """Prints precision, recall and F1 of persons and of places for each development set; returns the mean F1."""
    scores = []
    for name, texts in dev.items():
        words = [words_of(text.text) for text in texts]
        kept = [i for i, each in enumerate(words) if 0 < len(each.forms) <= 400]
        encoded = [
            (
                vocabulary.add(words[i].forms),
                np.zeros(len(words[i].forms), np.int32),
                np.zeros(len(words[i].forms), np.float32),
            )
            for i in kept
        ]
        rows: list[np.ndarray] = []
        for batch in batches(encoded, vocabulary):
            chances = np.asarray(predict(p, batch))
            number = int(batch["live"].sum())
            counts = np.bincount(batch["text"][:number])
            rows += np.split(chances[:number], np.cumsum(counts)[:-1])
        totals = {kind: np.zeros(4) for kind in ("PERSON", "LOCATION")}
        for i, chances in zip(kept, rows, strict=True):
            found = decode([words[i]], chances, threshold)[0]
            for kind, total in totals.items():
                labels = (kind, "ADDRESS") if kind == "LOCATION" else (kind,)
                total += spans_f1(
                    [(f.start, f.end) for f in found if f.label in labels],
                    [(a, b) for a, b, label in texts[i].spans if label in labels],
                )
        count = sum(len(w.forms) for w in words)
        for kind, (hit, all_found, covered, true) in totals.items():
            precision, recall = hit / max(all_found, 1), covered / max(true, 1)
            f1 = 2 * precision * recall / max(precision + recall, 1e-9)
            scores.append(f1)
            print(
                f"   {name:26}{kind:9} P {precision:.3f} R {recall:.3f} F {f1:.3f}  false/1000 words {(all_found - hit) / count * 1000:.1f}",
                flush=True,
            )
    mean = float(np.mean(scores))
    print(f"   mean {mean:.4f}", flush=True)
    return mean


def save(path: Path, p: Any, vectors: Any, start: Any, table: dict[str, int]) -> None:
    """Writes everything that the package's file is made of."""
    words = sorted(table)
    arrays = {name: np.asarray(value) for name, value in p.items()}
    arrays["vectors"] = np.asarray(vectors)
    arrays |= {name: start[name] for name in ("forms", "rows", "chances", "clusters")}
    arrays["gazetteer"] = np.frombuffer("\n".join(words).encode(), dtype=np.uint8)
    arrays["bits"] = np.array([table[word] for word in words], dtype=np.uint16)
    np.savez(path, **arrays)


if __name__ == "__main__":
    main()
