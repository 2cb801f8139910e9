"""``aadhaar-offline`` (India): a signed XML file with name, address and photograph that one carries to lenders.

Who sees what: the authority that a person made a file, and when, not for whom; each lender name, address, birth year,
photograph and reference, and the figures that it asks for beside. Assumption: RSA-2048 under SHA-256, by the package
signxml. Not protected: reference and signature are the same wherever a file is shown, and name and address are
mandatory. Left out: the zip file that a share code locks; the hashes of telephone number and mail; the photograph is
random bytes of a photograph's length.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blindscore.designs.design import NO_CONDUCT, Rule, Run
from blindscore.designs.plain import LEGAL_ID, bank_view, columns_of, everyone, financial, own_records
from blindscore.errors import ForgeryError
from blindscore.extras import needs
from blindscore.parties.cast import APPLY, Cast, Ending
from blindscore.parties.message import Message
from blindscore.parties.store import Field, MemoryStore, Store, TableSpec
from blindscore.parties.view import Kind, View
from blindscore.people.population import Population
from blindscore.scorecard.scorecard import Scorecard
from blindscore_crypto.designs.executed import Fitted
from blindscore_crypto.world.parties import APPLICATIONS, LENDERS, Reads
from blindscore_crypto.world.run import ReadsAccounts, Row, accounts_of, kinds_of, known_of, play_accounts, run_of

AUTHORITY, EXTRA = "identity authority", "aadhaar-offline"
FILES, REFERENCE = "files", "reference"
MAX_BYTES = 64 * 1024
PHOTOGRAPH = 3_000  # bytes
ROOT, PERSON = "OfflinePaperlessKyc", "Poi"


@dataclass(frozen=True)
class Seal:
    """The authority's key and certificate."""

    key: Any
    certificate: Any

    def signed(self, legal_id: str, register: Mapping[str, object]) -> tuple[str, bytes]:
        """Return a reference that nobody else's file has, and the signed file."""
        with needs("aadhaar-offline"):
            from lxml import etree
            from signxml.signer import XMLSigner
        reference = f"{int.from_bytes(os.urandom(2)) % 10_000:04}{int.from_bytes(os.urandom(7)):017}"
        root = etree.Element(ROOT, referenceId=reference)
        data = etree.SubElement(root, "UidData")
        etree.SubElement(data, PERSON, name=legal_id, **{k: str(v) for k, v in register.items()})
        etree.SubElement(data, "Pht").text = base64.b64encode(os.urandom(PHOTOGRAPH)).decode()
        made = XMLSigner(signature_algorithm="rsa-sha256").sign(root, key=self.key, cert=[self.certificate])
        return reference, bytes(etree.tostring(made))

    def read(self, file: bytes) -> dict[str, str]:
        """Return reference, name and register that a file proves.

        Raises
        ------
        ForgeryError
            It is too long, no XML, or not signed by this authority.
        """
        with needs("aadhaar-offline"):
            from cryptography.exceptions import InvalidSignature
            from lxml import etree
            from signxml.exceptions import SignXMLException
            from signxml.verifier import VerifyResult, XMLVerifier
        if len(file) > MAX_BYTES:
            raise ForgeryError(f"file refused: more than {MAX_BYTES} bytes; make it again")
        try:
            # What was signed is read, not what was sent: a second element beside the signed one counts for nothing.
            found = XMLVerifier().verify(file, x509_cert=self.certificate)
        except (SignXMLException, InvalidSignature, etree.LxmlError, ValueError) as error:
            raise ForgeryError("file refused: not signed by the authority") from error
        root = found.signed_xml if isinstance(found, VerifyResult) else None
        person = None if root is None else root.find(f"UidData/{PERSON}")
        if root is None or root.tag != ROOT or person is None:
            raise ForgeryError("file refused: it names nobody")
        said = {str(k): str(v) for k, v in person.attrib.items()}
        return {REFERENCE: str(root.get("referenceId")), LEGAL_ID: said.pop("name"), **said}


def new_seal() -> Seal:
    """Return a fresh key of the authority.

    Raises
    ------
    MissingExtraError
        The extra ``aadhaar-offline`` is not installed.
    """
    with needs("aadhaar-offline"):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.x509.oid import NameOID
    key, now = rsa.generate_private_key(65537, 2048), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(int.from_bytes(os.urandom(16)) >> 1)
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=365))
    return Seal(key, made.sign(key, hashes.SHA256()))


@dataclass
class Authority:
    """Knows everybody's name and address; signs a file for whoever logs in."""

    seal: Seal
    people: Mapping[str, Row]
    store: Store
    role: str = AUTHORITY
    name: str = AUTHORITY

    def handle(self, message: Message) -> list[Message]:
        """Make a file."""
        register = self.people.get(message.sender)
        if register is None:
            raise ForgeryError("file refused: nobody of that number")
        reference, file = self.seal.signed(message.sender, register)
        self.store.put(FILES, message.sender.encode(), {REFERENCE: reference, **register})
        return [Message(message.sender, "file", file)]


@dataclass
class Bank:
    """Hands its customer a statement."""

    accounts: Mapping[str, Row]
    store: Store
    role: str = "source"
    name: str = "source"

    def handle(self, message: Message) -> list[Message]:
        """Write a statement."""
        return [Message(message.sender, "statement", json.dumps(self.accounts[message.sender]).encode())]


@dataclass
class Wallet:
    """One person's: fetches file and statement, and shows both to each lender."""

    name: str
    store: Store = field(default_factory=MemoryStore)
    role: str = "wallet"
    file: bytes = b""
    statement: str = ""
    answers: list[bool] = field(default_factory=list)

    def handle(self, message: Message) -> list[Message]:
        """Take the next step."""
        if message.kind == APPLY:
            return [Message(AUTHORITY, "download", b"")]
        if message.kind == "file":
            self.file = message.body
            return [Message("source", "statement", b"")]
        if message.kind == "statement":
            self.statement = message.body.decode()
        else:
            self.answers.append(bool(json.loads(message.body)["ok"]))
        shown = json.dumps({"file": self.file.decode(), "statement": self.statement}).encode()
        return [Message(to, "application", shown) for to in LENDERS[len(self.answers) : len(self.answers) + 1]]

    def ending(self) -> Ending:
        """Return what the first lender answered."""
        return Ending(self.answers[0] if self.answers else None)


@dataclass
class Lender:
    """Checks the file, scores the statement by its own card."""

    role: str
    seal: Seal
    reads: Reads
    threshold: int
    store: Store

    @property
    def name(self) -> str:
        """One of the two lenders."""
        return self.role

    def handle(self, message: Message) -> list[Message]:
        """Decide."""
        shown = json.loads(message.body)
        named = self.seal.read(shown["file"].encode())
        read = self.reads.of({**json.loads(shown["statement"]), **named})
        self.store.put(APPLICATIONS, named[LEGAL_ID].encode(), read)
        approved = int(read["score"] or 0) >= self.threshold
        return [Message(message.sender, "decision", json.dumps({"ok": approved}).encode())]


@dataclass(frozen=True)
class AadhaarOffline(ReadsAccounts):
    """A signed file with name and address."""

    name = "aadhaar-offline"
    order = 31
    extra = EXTRA
    summary = "The state signs a file with your name, address and photograph; you hand it over to whoever lends."
    enforces = frozenset({NO_CONDUCT})
    feared = (("lender", "second lender"), ("lender", AUTHORITY), ("lender", "state"))
    rules = (
        Rule(
            "a file holds reference, name, address, photograph, gender and birth date, signed; all of it is shown",
            "reported",
            "UIDAI on Aadhaar Paperless Offline e-KYC, by secondary sources; signed here by the package signxml",
        ),
        Rule("the lender is shown a bank's statement beside it, and scores that", "modelled", "this project"),
    )
    questions = MappingProxyType(
        {
            "hidden": "From the lender the number itself; not name, address, birth date, photograph, or figures.",
            "linkable": "Everything, by name and address; by reference and signature wherever one file is shown.",
            "issuer": "No: it learns that a file was made, not where it is shown; shown one, it knows it again.",
            "revocation": "None, so nothing is looked up: a file once shown is a copy that cannot be called back; a "
            "lender sees its age.",
        }
    )

    def run(self, population: Population, scorecard: Scorecard, rng: np.random.Generator) -> Run:
        """Sign and show for a sample; see :class:`blindscore.designs.design.Design`."""
        fitted, _, _, done = play_accounts(population, scorecard, rng, self, _cast, _views)
        plays = {"lender": ("scorer", "lender")}
        return run_of(done, fitted, scorer="lender", plays=plays, parameters={"approve": self.approve})


def _cast(population: Population, fitted: Fitted, chosen: NDArray[np.integer]) -> Cast:
    known, (figures, register), seal = known_of(population, chosen), kinds_of(population), new_seal()
    accounts = accounts_of({**figures, **register}, known)
    people = {legal_id: {name: row[name] for name in register} for legal_id, row in known.items()}
    told = tuple(Field(name, kind) for name, kind in register.items())
    authority = TableSpec(FILES, Field(LEGAL_ID, "handle"), (Field(REFERENCE, "handle"), *told))
    reads = Reads(
        (*figures.items(), *register.items(), ("score", "score"), (REFERENCE, "handle")),
        fitted.card,
        fitted.threshold,
    )
    applications = TableSpec(APPLICATIONS, Field(LEGAL_ID, "handle"), reads.spec().fields[:-1])
    lenders = [Lender(name, seal, reads, fitted.threshold, MemoryStore(applications)) for name in LENDERS]
    return Cast(
        (Authority(seal, people, MemoryStore(authority)), Bank(known, accounts), *lenders),
        lambda legal_id: Wallet(f"wallet of {legal_id}"),
        lambda wallet: wallet.ending(),  # type: ignore[attr-defined]
        {("wallet", AUTHORITY): "legal id", ("wallet", "source"): "legal id"},
    )


def _views(population: Population, fitted: Fitted) -> dict[str, View]:
    """Return the ideal views: each lender's with name, address, figures and reference."""
    everybody, n = everyone(population), len(population)
    drawn = np.random.default_rng([n, 0xAA]).permutation(n).astype(np.int64)
    register = population.register.assign(reference=drawn)
    shown = own_records(population, financial(population)).assign(score=fitted.scores, reference=drawn)
    kinds: dict[str, Kind] = {"score": "score", REFERENCE: "handle"}
    views = {name: View(name, "legal id", shown, columns_of(population, shown, **kinds), everybody) for name in LENDERS}
    authority = View(AUTHORITY, "legal id", register, columns_of(population, register, **kinds), everybody)
    return {"source": bank_view(population), AUTHORITY: authority, **views}
