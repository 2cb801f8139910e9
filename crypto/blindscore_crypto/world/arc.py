"""ARC: one bit out of a credential that nobody recognises, so often a lender and no more; whoever checks could issue.

Who sees what: the lender yes or no, and a tag that occurs once; nothing joins two presentations, at one lender or at
two, and the issuer knows none of them again. Beyond the limit a tag repeats and is refused. The answer stands in the
key: what a request's context says is not proved to the issuer, so it may not stand there. Not protected: a lender
holds the issuer's secret key, so it can make credentials itself, and proves to nobody that somebody showed one; who
lends a credential.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

from blindscore.designs.design import NO_CONDUCT, ONE_BIT, UNLINKABLE, Rule
from blindscore.errors import ForgeryError
from blindscore_crypto.world import arc_credential as arc
from blindscore_crypto.world.credential import Kept
from blindscore_crypto.world.design import SHORT_LIVED, Credential
from blindscore_crypto.world.scheme import Claims, Scheme

REQUEST = b"blindscore, good for a day"
LIMIT = 4  # presentations of one credential at one lender
YES, NO = b"\x01", b"\x00"


def context_of(verifier: str) -> bytes:
    """Return the context within which tags are counted: one verifier's, for as long as the key holds."""
    return b"blindscore, shown to " + verifier.encode()


Keys = dict[bytes, arc.PrivateKey]  # one an answer


@dataclass(frozen=True)
class _Issuing:
    keys: Keys = field(repr=False)

    def issue(self, asked: bytes, claims: Claims) -> bytes:
        """Return the answer, and a credential under its key; see :class:`.scheme.Issuing`."""
        answer = YES if claims["approved"] else NO
        return answer + arc.issue(self.keys[answer], asked)


@dataclass
class _Holding:
    public: dict[bytes, arc.PublicKey]
    secrets: arc.Secrets = field(default_factory=lambda: arc.ask(REQUEST))
    held: dict[bytes, arc.Credential] = field(default_factory=dict, repr=False)
    shown: dict[str, int] = field(default_factory=dict)  # how often, by verifier

    def ask(self) -> bytes:
        """Return the request; see :class:`~blindscore_crypto.world.scheme.Holding`."""
        return self.secrets.request

    def present(self, credential: bytes, shown: tuple[str, ...], nonce: bytes, audience: str) -> bytes:
        """Return answer and presentation; see :class:`~blindscore_crypto.world.scheme.Holding`."""
        answer, response = credential[:1], credential[1:]
        if answer not in self.public:
            raise ForgeryError("credential refused: neither yes nor no")
        if credential not in self.held:
            self.held[credential] = arc.finish(self.secrets, response, self.public[answer])
        turn = self.shown.get(audience, 0)
        made = arc.present(self.held[credential], context_of(audience), turn, LIMIT, nonce + audience.encode())
        self.shown[audience] = turn + 1
        return answer + made


@dataclass(frozen=True)
class _Checking:
    keys: Keys = field(repr=False)
    spent: set[tuple[str, bytes]] = field(default_factory=set, repr=False)  # verifier and tag

    def check(self, presentation: bytes, nonce: bytes, audience: str) -> Claims:
        """Return the answer; a tag counts once at each verifier.

        Raises
        ------
        ForgeryError
            The presentation proves nothing, or its tag has been seen here.
        """
        answer, shown = presentation[:1], presentation[1:]
        if answer not in self.keys:
            raise ForgeryError("presentation refused: neither yes nor no")
        tag = arc.verify(self.keys[answer], REQUEST, context_of(audience), LIMIT, shown, nonce + audience.encode())
        if (audience, tag) in self.spent:
            raise ForgeryError("presentation refused: it has been shown here before")
        self.spent.add((audience, tag))
        return {"approved": answer == YES}


def scheme(threshold: int = 0) -> Scheme:
    """Return ARC credentials under fresh issuer keys, one an answer."""
    keys = {answer: arc.PrivateKey.fresh() for answer in (YES, NO)}
    public = {answer: key.public for answer, key in keys.items()}
    return Scheme(_Issuing(keys), _Checking(keys), lambda: _Holding(public))


DRAFT = Rule(
    "a holder shows a fresh look of a credential so often a context and no more, to whoever holds the issuer's key",
    "documented",
    "draft-ietf-privacypass-arc-crypto, suite ARC(P-256), by its vectors; written here over pycryptodome's P-256",
)
CONTEXT = Rule(
    "a lender's name is the context of its presentations, and its challenge is bound into the proof",
    "modelled",
    "this project; the draft binds no challenge and leaves the context to the application",
)
ANSWER = Rule(
    "a bureau has one key for yes and one for no, and its lenders hold both",
    "modelled",
    "this project: the draft proves nothing to the issuer of the context that a credential is asked under",
)


@dataclass(frozen=True)
class Arc(Credential):
    """One bit, under a credential that is shown so often and no more."""

    name = "arc"
    order = 62
    summary = "A bureau says yes or no; you show it a few times to each lender, and no two times look alike."
    kept = Kept(scheme, "bit", linkable=False, numbered=False)
    enforces = frozenset({NO_CONDUCT, ONE_BIT, UNLINKABLE})
    rules = (DRAFT, CONTEXT, ANSWER)
    questions = MappingProxyType(
        {
            "hidden": "Everything but yes or no, and which issuer.",
            "linkable": f"Nothing, up to {LIMIT} presentations at each lender; one more repeats a tag and is refused.",
            "issuer": "No, even if it is shown the presentation. But every lender holds its key, and could issue.",
            "revocation": SHORT_LIVED,
        }
    )
