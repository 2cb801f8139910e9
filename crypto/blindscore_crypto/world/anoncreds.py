"""AnonCreds by the package anoncreds (Rust): a predicate on an issued score, and proof that it was not revoked.

Who sees what: the verifier on which side of the threshold the score lies, and of which revocation registry and day the
credential is; nothing that the issuer knows again. Assumptions: strong RSA, Diffie-Hellman in the pairing groups, a
random oracle (Camenisch and Lysyanskaya's signatures and accumulators). Not protected: the registry's name stands in
every presentation, so a person hides among those of one registry and no more; a registry of one is a name. Lengths of
a presentation differ by a few bytes from one to the next, since the package writes numbers in decimal.

The issuer's key is published beside this file, since making one takes a quarter of a minute: it serves simulation only.
"""

from __future__ import annotations

import functools
import hashlib
import json
import secrets
import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from blindscore.designs.design import NO_CONDUCT, ONE_BIT, UNLINKABLE, Rule
from blindscore.errors import ForgeryError
from blindscore.extras import needs
from blindscore_crypto.world.credential import Kept
from blindscore_crypto.world.design import BAND, Credential
from blindscore_crypto.world.scheme import Claims, Scheme

INSECURE_KEY = "insecure_anoncreds_issuer.json"  # public and private key of an issuer that everybody can be
ISSUER, SCHEMA, DEFINITION = "did:web:bureau.example", "did:web:bureau.example/score", "did:web:bureau.example/day"
DAY = 20_000 * 86_400  # of the registry's state; finer times would tell registries' readers apart
NONCE_BYTES = 10  # what the package takes
MAX_BYTES = 256 * 1024


@dataclass
class _Ledger:
    """What the issuer publishes: key, schema, registries and their states."""

    schema: Any
    definition: Any
    offer: Any
    registries: dict[str, Any] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Issuing:
    ledger: _Ledger
    private: Any
    size: int  # credentials of one registry
    folder: str
    issued: int = 0
    secret: Any = None  # of the registry that is being filled
    open: str = ""  # its name

    def issue(self, asked: bytes, claims: Claims) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Issuing`."""
        with needs("anoncreds"):
            import anoncreds
        if self.issued % self.size == 0:
            self._new_registry()
        index = 1 + self.issued % self.size
        self.issued += 1
        registry, state = self.ledger.registries[self.open], self.ledger.states[self.open]
        made = anoncreds.Credential.create(
            self.ledger.definition,
            self.private,
            self.ledger.offer,
            asked,
            {"score": str(claims["score"])},
            None,
            anoncreds.CredentialRevocationConfig(registry, self.secret, state, index),
        )
        return bytes(made.to_json().encode())

    def revoke(self, index: int) -> None:
        """Take one credential of the open registry back."""
        state = self.ledger.states[self.open]
        registry = self.ledger.registries[self.open]
        gone = state.update(self.ledger.definition, registry, self.secret, None, [index], DAY)
        self.ledger.states[self.open] = gone

    def _new_registry(self) -> None:
        with needs("anoncreds"):
            import anoncreds
        self.open = f"{DEFINITION}/{secrets.token_hex(8)}"
        definition = self.ledger.definition
        registry, self.secret = anoncreds.RevocationRegistryDefinition.create(
            DEFINITION, definition, ISSUER, self.open[-16:], "CL_ACCUM", self.size + 1, tails_dir_path=self.folder
        )
        self.ledger.registries[self.open] = registry
        self.ledger.states[self.open] = anoncreds.RevocationStatusList.create(
            definition, self.open, registry, self.secret, ISSUER, True, DAY
        )


@dataclass
class _Holding:
    ledger: _Ledger
    threshold: int
    secret: str = ""
    metadata: Any = None

    def ask(self) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Holding`."""
        with needs("anoncreds"):
            import anoncreds
        self.secret = anoncreds.create_link_secret()
        request, self.metadata = anoncreds.CredentialRequest.create(
            secrets.token_hex(16), None, self.ledger.definition, self.secret, "own", self.ledger.offer
        )
        return bytes(request.to_json().encode())

    def present(self, credential: bytes, shown: tuple[str, ...], nonce: bytes, audience: str) -> bytes:
        """Return the side of the threshold, 1 byte, and a proof of it; see the scheme's ``Holding``."""
        with needs("anoncreds"):
            import anoncreds
        score = int(json.loads(credential)["values"]["score"]["raw"])
        issued = anoncreds.Credential.load(credential)
        name = str(issued.rev_reg_id)
        registry, state = self.ledger.registries[name], self.ledger.states[name]
        mine = issued.process(self.metadata, self.secret, self.ledger.definition, registry)
        reached = score >= self.threshold
        index, tails = mine.rev_reg_index, registry.tails_location
        chosen = anoncreds.PresentCredentials()
        unrevoked = anoncreds.CredentialRevocationState.create(registry, state, index, tails)
        chosen.add_predicates(mine, "band", timestamp=DAY, rev_state=unrevoked)
        request = _request(reached, self.threshold, nonce, audience)
        public = {SCHEMA: self.ledger.schema}, {DEFINITION: self.ledger.definition}
        made = anoncreds.Presentation.create(request, chosen, {}, self.secret, *public)
        return bytes([reached]) + bytes(made.to_json().encode())


@dataclass(frozen=True)
class _Checking:
    ledger: _Ledger
    threshold: int

    def check(self, presentation: bytes, nonce: bytes, audience: str) -> Claims:
        """See :class:`~blindscore_crypto.world.scheme.Checking`."""
        with needs("anoncreds"):
            import anoncreds
        if not 1 < len(presentation) <= MAX_BYTES or presentation[0] > 1:
            raise ForgeryError(f"presentation refused: not a proof of at most {MAX_BYTES} bytes; present again")
        reached = presentation[0] == 1
        try:
            if _proved(presentation[1:]) != [("score", "GE" if reached else "LT", self.threshold)]:
                raise ForgeryError("presentation refused: it proves another predicate than was asked")
            shown = anoncreds.Presentation.load(presentation[1:])
            holds = shown.verify(
                _request(reached, self.threshold, nonce, audience),
                {SCHEMA: self.ledger.schema},
                {DEFINITION: self.ledger.definition},
                dict(self.ledger.registries),
                list(self.ledger.states.values()),
            )
        except (anoncreds.AnoncredsError, ValueError, KeyError, TypeError, RecursionError) as error:
            if isinstance(error, ForgeryError):
                raise
            raise ForgeryError("presentation refused: it is no proof for this use") from error
        if not holds:
            raise ForgeryError("presentation refused: the proof does not hold for this use")
        return {"approved": reached}


def _proved(presentation: bytes) -> list[tuple[str, str, int]]:
    """Return the predicates that a presentation proves: name, kind, bound.

    The package's ``verify``, version 0.2.3, was seen to accept a proof of ``<`` for a request of ``>=``, so a verifier
    that relies on it alone approves everybody; what is proved is compared here with what was asked.
    """
    parts = json.loads(presentation)["proof"]["proofs"]
    made = [each["predicate"] for part in parts for each in part["primary_proof"]["ge_proofs"]]
    return [(str(one["attr_name"]), str(one["p_type"]), int(one["value"])) for one in made]


def _request(reached: bool, threshold: int, nonce: bytes, audience: str) -> str:
    """Return what is asked: a proof of one side, or of the other, good for one nonce and audience."""
    said = hashlib.sha256(len(nonce).to_bytes(4, "big") + nonce + audience.encode()).digest()[:NONCE_BYTES]
    band: dict[str, object] = {"name": "score", "p_type": ">=" if reached else "<", "p_value": threshold}
    band |= {"restrictions": [{"cred_def_id": DEFINITION}]}
    asked = {"name": "loan", "version": "1.0", "nonce": str(int.from_bytes(said)), "requested_attributes": {}}
    return json.dumps({**asked, "requested_predicates": {"band": band}, "non_revoked": {"from": DAY, "to": DAY}})


def scheme(threshold: int = 0, registry: int = 64) -> Scheme:
    """Return AnonCreds under the published issuer key, with fresh registries of so many credentials.

    Raises
    ------
    MissingExtraError
        The extra ``anoncreds`` is not installed.
    """
    with needs("anoncreds"):
        import anoncreds
    key = json.loads((files("blindscore_crypto.world") / INSECURE_KEY).read_text("utf-8"))
    schema = anoncreds.Schema.create(name="score", version="1.0", issuer_id=ISSUER, attr_names=["score"])
    definition = anoncreds.CredentialDefinition.load(key["public"])
    private = anoncreds.CredentialDefinitionPrivate.load(key["private"])
    offer = anoncreds.CredentialOffer.create(SCHEMA, DEFINITION, json.dumps(key["proof"]))
    ledger = _Ledger(schema, definition, offer)
    issuing = _Issuing(ledger, private, registry, tempfile.mkdtemp())
    weakref.finalize(issuing, shutil.rmtree, issuing.folder, ignore_errors=True)  # with the issuer, or at exit
    return Scheme(issuing, _Checking(ledger, threshold), functools.partial(_Holding, ledger, threshold))


PREDICATE = Rule(
    "a holder proves that an issued number reaches a bound, and by an accumulator that it was not revoked",
    "documented",
    "AnonCreds Specification v1.0; run by the package anoncreds",
)


@dataclass(frozen=True)
class Anoncreds(Credential):
    """One bit, by a predicate on the score."""

    sample: int = 8  # people for whom the library is run

    name = "anoncreds"
    order = 60
    extra = "anoncreds"
    summary = "A bureau signs your score; you prove that it suffices, and show neither score nor signature."
    kept = Kept(scheme, "bit", linkable=False, issues="score", numbered=False)
    enforces = frozenset({NO_CONDUCT, ONE_BIT, UNLINKABLE})
    rules = (PREDICATE, BAND)
    questions = MappingProxyType(
        {
            "hidden": "Everything but the side of the threshold, and which registry.",
            "linkable": "Among people of one revocation registry nothing; a registry of one person is a name.",
            "issuer": "No, even if it is shown the proof; but the registry's name, and it filled the registry.",
            "revocation": "By an accumulator: holder and lender read the registry's whole state, no one entry, and "
            "the holder proves that it is not among the revoked. The issuer learns that a registry was read.",
        }
    )
