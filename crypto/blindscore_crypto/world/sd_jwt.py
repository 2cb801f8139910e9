"""SD-JWT (RFC 9901) by the package sd-jwt: salted digests of claims under one signature, some of them opened.

Who sees what: the verifier the opened claims, and issuer signature, digests and device key, which are the same at every
presentation of one credential. Assumption: ECDSA on P-256, SHA-256. Not protected: whoever meets a credential twice,
or issued it, knows it again.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from blindscore.designs.design import NO_CONDUCT, SCORE_ONLY, Rule
from blindscore.errors import ForgeryError
from blindscore.extras import needs
from blindscore_crypto.world.credential import Kept
from blindscore_crypto.world.design import SCORE, STATUS_LIST, Credential
from blindscore_crypto.world.scheme import Claims, Scheme

ALWAYS = ("iss", "status")  # claims that are never hidden
DAY_S = 86_400
MAX_BYTES = 64 * 1024
_LIBRARY_REFUSES = (ValueError, KeyError, TypeError)


def _new_key() -> Any:
    with needs("sd-jwt"):
        from jwcrypto.jwk import JWK
    return JWK.generate(kty="EC", crv="P-256")


@dataclass(frozen=True)
class _Issuing:
    key: Any

    def issue(self, asked: bytes, claims: Claims) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Issuing`."""
        with needs("sd-jwt"):
            from jwcrypto.jwk import JWK
            from sd_jwt.common import SDObj
            from sd_jwt.issuer import SDJWTIssuer
        hidden = {name if name in ALWAYS else SDObj(name): value for name, value in claims.items()}
        made = SDJWTIssuer(hidden, self.key, holder_key=JWK.from_json(asked.decode()))
        issued: str = made.sd_jwt_issuance
        return issued.encode()


@dataclass(frozen=True)
class _Holding:
    key: Any = field(default_factory=_new_key)

    def ask(self) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Holding`."""
        public: str = self.key.export_public()
        return public.encode()

    def present(self, credential: bytes, shown: tuple[str, ...], nonce: bytes, audience: str) -> bytes:
        """See :class:`~blindscore_crypto.world.scheme.Holding`."""
        with needs("sd-jwt"):
            from jwcrypto.common import base64url_encode
            from jwcrypto.jws import JWS
            from sd_jwt.holder import SDJWTHolder
        holder = SDJWTHolder(credential.decode())
        holder.create_presentation(dict.fromkeys(shown, True))
        opened: str = holder.sd_jwt_presentation
        # The package writes the second; two presentations of one second would be linked by it. The day is enough.
        day = int(time.time()) // DAY_S * DAY_S
        digest = base64url_encode(hashlib.sha256(opened.encode()).digest())
        said = {"nonce": nonce.hex(), "aud": audience, "iat": day, "sd_hash": digest}
        bound = JWS(json.dumps(said))
        bound.add_signature(self.key, alg="ES256", protected=json.dumps({"alg": "ES256", "typ": "kb+jwt"}))
        return f"{opened}{bound.serialize(compact=True)}".encode()


@dataclass(frozen=True)
class _Checking:
    key: Any

    def check(self, presentation: bytes, nonce: bytes, audience: str) -> Claims:
        """See :class:`~blindscore_crypto.world.scheme.Checking`."""
        with needs("sd-jwt"):
            from jwcrypto.common import JWException
            from sd_jwt.verifier import SDJWTVerifier
        if len(presentation) > MAX_BYTES:
            raise ForgeryError(f"presentation refused: more than {MAX_BYTES} bytes; present again")
        try:
            checked = SDJWTVerifier(presentation.decode(), lambda *_: self.key, audience, nonce.hex())
            payload: dict[str, Any] = checked.get_verified_payload()
        except (JWException, json.JSONDecodeError, *_LIBRARY_REFUSES) as error:
            raise ForgeryError("presentation refused: not signed by issuer and device for this use") from error
        return {name: value for name, value in payload.items() if name not in ("cnf", "iss")}


def scheme(threshold: int = 0) -> Scheme:
    """Return SD-JWT under a fresh issuer key.

    Raises
    ------
    MissingExtraError
        The extra ``sd-jwt`` is not installed.
    """
    key = _new_key()
    with needs("sd-jwt"):
        from jwcrypto.jwk import JWK
    return Scheme(_Issuing(key), _Checking(JWK.from_json(key.export_public())), _Holding)


RFC = Rule(
    "a holder opens salted digests of its choice under one signature, and proves that it holds the key",
    "documented",
    "RFC 9901, Selective Disclosure for JSON Web Tokens; run by the package sd-jwt",
)
BY_CHOICE = Rule(
    "the bank issues the financial figures, the lender asks for all of them and scores them itself",
    "modelled",
    "this project",
)


@dataclass(frozen=True)
class SdJwt(Credential):
    """Figures disclosed by choice."""

    name = "sd-jwt"
    order = 34
    extra = "sd-jwt"
    summary = "Your bank signs your figures; you open them to the lender without your name."
    kept = Kept(scheme, "features", linkable=True)
    rules = (RFC, BY_CHOICE)
    questions = MappingProxyType(
        {
            "hidden": "Name and register; of the figures nothing that the lender asks for.",
            "linkable": "Every use, by signature, digests and key; in batches still by the exact figures.",
            "issuer": "Not from the presentation; but it knows the signature again if it is shown it.",
            "revocation": STATUS_LIST,
        }
    )


@dataclass(frozen=True)
class SdJwtScore(Credential):
    """A score disclosed."""

    name = "sd-jwt-score"
    order = 36
    extra = "sd-jwt"
    summary = "A bureau signs your score; you show it to the lender without your name."
    kept = Kept(scheme, "score", linkable=True)
    enforces = frozenset({NO_CONDUCT, SCORE_ONLY})
    rules = (RFC, SCORE)
    questions = MappingProxyType(
        {
            "hidden": "Everything but the score.",
            "linkable": "Every use of one credential, by signature, digests and key; in batches only by its issuer.",
            "issuer": "Not from the presentation; but it knows the signature again if it is shown it.",
            "revocation": STATUS_LIST,
        }
    )
