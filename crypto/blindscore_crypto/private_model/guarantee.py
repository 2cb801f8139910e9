"""The model file: a card together with the guarantee under which it was trained, so that neither travels alone.

Who sees what: everything here is published. Not protected: nothing in the file proves that the training kept the
guarantee; what it proves is that the stated epsilon follows from the stated releases, for the stated card.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blindscore.errors import ForgeryError, ParameterError
from blindscore.scorecard.card import Card
from blindscore.scorecard.forms.json import MAX_BYTES, card_from_json, card_to_json
from blindscore.whole_files import write_whole
from blindscore_crypto.private_model.accounting import NEIGHBOURS, Release, check_budget, epsilon_of, epsilon_rdp
from blindscore_crypto.private_model.estimator import PrivateScorecard
from blindscore_crypto.private_model.methods import METHODS, method_named

FORMAT = "blindscore-private-card"
VERSION = 1
PROTECTS = "the people in the training data, not the applicant whom the card scores"
MAX_RELEASES = 1000
MAX_SAMPLED, MAX_SAMPLED_STEPS = 10, 100_000  # that are composed exactly
KEYS = ("what", "sensitivity", "sigma", "steps", "sampling", "noise")


@dataclass(frozen=True)
class Guarantee:
    """What a trained card promises to each person in its training data."""

    epsilon: float
    delta: float
    method: str  # one of METHODS
    releases: tuple[Release, ...]  # the mechanism: everything that was let out, with its noise
    neighbours: str = NEIGHBOURS

    def __post_init__(self) -> None:
        check_budget(self.epsilon, self.delta)
        if self.neighbours != NEIGHBOURS or self.method not in METHODS or not self.releases:
            raise ParameterError(f"a guarantee needs releases, a known method, and neighbours that {NEIGHBOURS}")
        spent = proven(self.releases, self.epsilon, self.delta)
        if spent > self.epsilon * (1 + 1e-9):
            raise ParameterError(f"the releases cost epsilon {spent:.4g}, more than the {self.epsilon:.4g} claimed")

    @classmethod
    def of(cls, model: PrivateScorecard) -> Guarantee:
        """Return the guarantee of a fitted model."""
        return cls(model.epsilon, model.delta, method_named(str(model.method)), model.releases_)


def proven(releases: tuple[Release, ...], epsilon: float, delta: float) -> float:
    """Return an epsilon that the releases keep to: Renyi's bound where it is enough or far too much, else the claim's.

    Renyi divergences are the quick check, of a file that anybody may have written, and the one by which files were
    charged before; either bound is valid for a record that is given. Where so much was sampled that privacy loss
    distributions would take long, which no method does, Renyi's bound must be enough.
    """
    renyi = epsilon_rdp(releases, delta)
    sampled = [release.steps for release in releases if release.sampling is not None]
    near = epsilon < renyi < 2 * epsilon and len(sampled) <= MAX_SAMPLED and sum(sampled) <= MAX_SAMPLED_STEPS
    return min(renyi, epsilon_of(releases, delta)) if near else renyi


def save_private(model: PrivateScorecard, path: str | os.PathLike[str]) -> None:
    """Write a fitted model's card and guarantee to one JSON file, whole or not at all."""
    guarantee = Guarantee.of(model)
    plain = {
        "format": FORMAT,
        "version": VERSION,
        "card": json.loads(card_to_json(model.card_)),
        "guarantee": {
            "epsilon": guarantee.epsilon,
            "delta": guarantee.delta,
            "protects": PROTECTS,
            "neighbours": guarantee.neighbours,
            "method": guarantee.method,
            "card": model.card_.fingerprint,
            "releases": [{key: getattr(release, key) for key in KEYS} for release in guarantee.releases],
        },
    }
    write_whole(Path(path), (json.dumps(plain, indent=1, allow_nan=False) + "\n").encode())


def load_private(path: str | os.PathLike[str]) -> tuple[Card, Guarantee]:
    """Return the card and guarantee of a file, after checking that the one is stated for the other and adds up.

    Raises
    ------
    CardError
        The card is malformed or does not have its fingerprint.
    ForgeryError
        The file is too large, malformed, names another card, or claims less epsilon than its releases cost.
    """
    where = Path(path).name
    try:
        with Path(path).open("rb") as file:
            text = file.read(2 * MAX_BYTES + 1)
    except OSError as error:
        raise ForgeryError(f"{where}: cannot be read ({error.strerror or type(error).__name__})") from error
    if len(text) > 2 * MAX_BYTES:
        raise ForgeryError(f"{where}: larger than {2 * MAX_BYTES} bytes; no scorecard is so large")
    try:
        plain = json.loads(text)
        if (plain["format"], plain["version"], len(plain)) != (FORMAT, VERSION, 4):
            raise ValueError("format")
        stated, card_text = plain["guarantee"], json.dumps(plain["card"])
        if stated["protects"] != PROTECTS:
            raise ValueError("protects")
        releases = tuple(_release(entry) for entry in stated["releases"][: MAX_RELEASES + 1])
        numbers = (float(stated["epsilon"]), float(stated["delta"]))
        words = (str(stated["method"]), str(stated["neighbours"]), str(stated["card"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ForgeryError(f"{where}: not a private card file; give one that save_private wrote") from error
    card = card_from_json(card_text, where=where)
    if words[2] != card.fingerprint or len(releases) > MAX_RELEASES:
        raise ForgeryError(f"{where}: the guarantee was made for another card")
    try:
        return card, Guarantee(*numbers, words[0], releases, words[1])
    except ParameterError as error:
        raise ForgeryError(f"{where}: {error}") from error


def _release(entry: dict[str, Any]) -> Release:
    if set(entry) != set(KEYS):
        raise KeyError("release")
    sampling = entry["sampling"]
    release = Release(
        str(entry["what"])[:200],
        float(entry["sensitivity"]),
        float(entry["sigma"]),
        int(entry["steps"]),
        None if sampling is None else float(sampling),
        entry["noise"],
    )
    sound = all(0 < number < 1e9 for number in (release.sensitivity, release.sigma, release.steps))
    taking_part = release.sampling is None or 0 < release.sampling <= 1
    if not (sound and taking_part) or release.noise not in ("discrete", "float"):
        raise ValueError("release")
    return release
