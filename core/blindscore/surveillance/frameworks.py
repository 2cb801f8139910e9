"""What the frameworks of data protection call each capability, and each flow as a contextual norm.

- Singling out, linkability, inference: Article 29 Working Party, Opinion 05/2014 on Anonymisation Techniques (WP216).
- Seven threat types: LINDDUN (KU Leuven): linking, identifying, non-repudiation, detecting, data disclosure,
  unawareness and unintervenability, non-compliance.
- Feared events: CNIL, Privacy Impact Assessment, methodology (February 2018): illegitimate access to data, unwanted
  modification, disappearance.
- Norms: Nissenbaum, "Privacy as Contextual Integrity" (2004): sender, recipient, subject, attribute, transmission
  principle.

The labels are this project's reading of those texts (docs/frameworks.md says why each was given) and change no figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from blindscore.people.population import Schema

SINGLING_OUT, LINKABILITY, INFERENCE = "singling out", "linkability", "inference"
TRIAD = (SINGLING_OUT, LINKABILITY, INFERENCE)
LINKING, IDENTIFYING, NON_REPUDIATION, DETECTING = "linking", "identifying", "non-repudiation", "detecting"
DATA_DISCLOSURE, UNAWARENESS, NON_COMPLIANCE = "data disclosure", "unawareness", "non-compliance"
LINDDUN = (LINKING, IDENTIFYING, NON_REPUDIATION, DETECTING, DATA_DISCLOSURE, UNAWARENESS, NON_COMPLIANCE)
ACCESS, MODIFICATION, DISAPPEARANCE = "illegitimate access", "unwanted modification", "disappearance"
FEARED = (ACCESS, MODIFICATION, DISAPPEARANCE)
TIES = ("friends", "visits")
REGISTER = "the public register"
UNTOLD = "not in this ledger"  # one that was measured before senders were kept
OUTPUT = "the design's own computation"  # sender of what no source holds: scores, decisions, sizes, times


@dataclass(frozen=True)
class Labels:
    """What each framework calls one capability; an empty tuple: it has no word for it."""

    triad: tuple[str, ...] = ()
    linddun: tuple[str, ...] = ()
    feared: tuple[str, ...] = ()


LABELS: Mapping[str, Labels] = {
    "profile": Labels((INFERENCE,), (DATA_DISCLOSURE, NON_COMPLIANCE), (ACCESS,)),
    "link": Labels((SINGLING_OUT, LINKABILITY), (IDENTIFYING, LINKING), (ACCESS,)),
    "join": Labels((LINKABILITY,), (LINKING,), (ACCESS,)),
    "map": Labels((LINKABILITY, INFERENCE), (LINKING, DATA_DISCLOSURE), (ACCESS,)),
    "track": Labels((INFERENCE,), (DETECTING, DATA_DISCLOSURE), (ACCESS,)),
    "steer": Labels((), (NON_COMPLIANCE, UNAWARENESS), (MODIFICATION,)),
    "choose": Labels((INFERENCE,), (DATA_DISCLOSURE, NON_COMPLIANCE, UNAWARENESS), (ACCESS,)),
    "intercept": Labels((INFERENCE,), (DETECTING, DATA_DISCLOSURE), (ACCESS,)),
    "arrivals": Labels((INFERENCE,), (DETECTING, DATA_DISCLOSURE), (ACCESS,)),
    "disclose": Labels((SINGLING_OUT,), (IDENTIFYING, DATA_DISCLOSURE, NON_REPUDIATION), (ACCESS,)),
    "remember": Labels((INFERENCE,), (DETECTING,), (ACCESS,)),
    "repeat": Labels((LINKABILITY, INFERENCE), (LINKING, DATA_DISCLOSURE), (ACCESS,)),
}


def labels_of(names: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Return the labels of capabilities by name, JSON-ready; a capability of somebody else's has none."""
    return {
        name: {key: list(value) for key, value in asdict(LABELS.get(name, Labels())).items()}
        for name in dict.fromkeys(names)
    }


@dataclass(frozen=True)
class Norm:
    """One flow as a contextual norm: who passes what of whom to whom, and on which terms."""

    sender: str
    recipient: str
    subject: str
    attributes: tuple[str, ...]
    kept: tuple[str, ...]  # of the attributes: readable at rest after the decision
    principle: str


def norms(sees: Iterable[Mapping[str, Any]], sources: Mapping[str, str]) -> tuple[Norm, ...]:
    """Return the norms of a design's flows, one for each recipient and sender.

    Parameters
    ----------
    sees
        Who sees what, as the ledger keeps it (:mod:`blindscore.surveillance.account.who_sees`).
    sources
        ``meta.sources`` of the ledger: who holds each column of the people's records.

    Returns
    -------
    tuple of Norm
        A party that reads nothing receives nothing. The transmission principle is what the view shows of it: under
        which identifier records are held. Consent and purpose stand in no view. Friends and visits are taken as kept,
        since no view says that they are deleted.
    """
    found = []
    for view in sees:
        by_sender: dict[str, list[str]] = {}
        for name in view["fields"]:
            by_sender.setdefault(str(sources.get(name, OUTPUT if sources else UNTOLD)), []).append(name)
        ties = [name for name in TIES if view[name]]
        if ties:
            by_sender.setdefault("the person's contacts and devices", []).extend(ties)
        for sender, names in by_sender.items():
            kept = tuple(name for name in names if name in view["stored"] or name in ties)
            who = view["role"] if view["role"] == view["party"] else f"{view['party']} as {view['role']}"
            found.append(Norm(sender, who, "the applicant", tuple(names), kept, f"under a {view['keyed_by']} key"))
    return tuple(found)


def sources_of(schema: Schema) -> dict[str, str]:
    """Return who holds each column of the people's records: the source of a feature, the public register's others."""
    return {feature.name: feature.source for feature in schema.features} | dict.fromkeys(schema.register, REGISTER)
