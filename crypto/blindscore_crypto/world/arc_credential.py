"""ARC: anonymous credentials that can be shown so often and no more, and only to whoever holds the issuer's key.

Source: draft-ietf-privacypass-arc-crypto (Yun, Wood, Faz-Hernandez), suite ARC(P-256), by its vectors; an algebraic
MAC (Chase, Meiklejohn, Zaverucha, 2014) on the holder's secret ``m1`` and on ``m2``, which stands for the request's
context. A presentation shows a fresh look of the MAC, and a tag ``(m1 + nonce)^-1 T`` of its context with a hidden
nonce below the limit: whoever shows once more than that repeats a tag. Hidden: m1, the nonce, which credential it is,
also from the issuer. Not hidden: the request's context, which the verifier must know. Assumptions: discrete
logarithms and DDH on P-256, in the generic group model; random oracles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.groups.group import P256_GROUP as P256
from blindscore_crypto.sealed.groups.group import Point, random_scalar
from blindscore_crypto.sealed.groups.hash_to_curve import expand_message_xmd
from blindscore_crypto.world.sigma import POINT, SCALAR, Equation, Statement, check, decode, encode, prove

SUITE = b"ARCV1-P256"
REQUEST = 2 * POINT + SCALAR * 5  # bytes: both attributes, committed to, and a proof
RESPONSE = 6 * POINT + SCALAR * 8
Draw = Callable[[], int]


def _scalar() -> int:
    return random_scalar(P256)


def hash_to_group(message: bytes, info: bytes) -> Point:
    """Return a point that nobody knows a logarithm of."""
    return P256.hash_to_point(message, b"HashToGroup-" + SUITE + info)


def hash_to_scalar(message: bytes, info: bytes) -> int:
    """Return a scalar below the group's order."""
    return int.from_bytes(expand_message_xmd(message, b"HashToScalar-" + SUITE + info, 48)) % P256.order


G = P256.base_mul(1)
H = hash_to_group(encode(G), b"generatorH")


def attribute(request_context: bytes) -> int:
    """Return m2."""
    return hash_to_scalar(request_context, b"requestContext")


@dataclass(frozen=True)
class PublicKey:
    """What a client checks an answer by."""

    x0: Point
    x1: Point
    x2: Point


@dataclass(frozen=True)
class PrivateKey:
    """What issues and what verifies: one key for both."""

    x0: int = field(repr=False)
    x1: int = field(repr=False)
    x2: int = field(repr=False)
    xb: int = field(repr=False)

    @classmethod
    def fresh(cls) -> PrivateKey:
        """Return a new key."""
        return cls(_scalar(), _scalar(), _scalar(), _scalar())

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        blinded = P256.add(P256.base_mul(self.x0), P256.mul(self.xb, H))
        return PublicKey(blinded, P256.mul(self.x1, H), P256.mul(self.x2, H))


@dataclass(frozen=True)
class Secrets:
    """What a client keeps of its request."""

    m1: int = field(repr=False)
    r1: int = field(repr=False)
    r2: int = field(repr=False)
    request: bytes


def _request_statement(m1_enc: Point, m2_enc: Point) -> Statement:
    # scalars: m1, m2, r1, r2; elements: G, H and both commitments
    return Statement(4, (G, H, m1_enc, m2_enc), ((2, ((0, 0), (2, 1))), (3, ((1, 0), (3, 1)))))


def ask(request_context: bytes, draw: Draw = _scalar) -> Secrets:
    """Return a request for a credential under a context, and what it takes to finish."""
    m1, m2, r1, r2 = draw(), attribute(request_context), draw(), draw()
    encrypted = [P256.add(P256.base_mul(m), P256.mul(r, H)) for m, r in ((m1, r1), (m2, r2))]
    proof = prove(SUITE + b"CredentialRequest", _request_statement(*encrypted), (m1, m2, r1, r2), draw)
    return Secrets(m1, r1, r2, b"".join(map(encode, encrypted)) + proof)


def _read_request(request: bytes) -> tuple[Point, Point]:
    if len(request) != REQUEST:
        raise ForgeryError(f"credential request refused: it has {REQUEST} bytes")
    m1_enc, m2_enc = decode(request[:POINT]), decode(request[POINT : 2 * POINT])
    check(SUITE + b"CredentialRequest", _request_statement(m1_enc, m2_enc), request[2 * POINT :])
    return m1_enc, m2_enc


def _response_statement(public: PublicKey, asked: tuple[Point, Point], answered: tuple[Point, ...]) -> Statement:
    # scalars: x0, x1, x2, xb, b, t1 = b x1, t2 = b x2
    u, enc_u, x0_aux, x1_aux, x2_aux, h_aux = answered
    elements = (G, H, *asked, u, enc_u, public.x0, public.x1, public.x2, x0_aux, x1_aux, x2_aux, h_aux)
    return Statement(
        7,
        elements,
        (
            (6, ((0, 0), (3, 1))),
            (7, ((1, 1),)),
            (8, ((2, 1),)),
            (12, ((4, 1),)),
            (9, ((3, 12),)),
            (10, ((5, 1),)),
            (10, ((4, 7),)),
            (11, ((4, 8),)),
            (11, ((6, 1),)),
            (4, ((4, 0),)),
            (5, ((4, 6), (5, 2), (6, 3))),
        ),
    )


def issue(key: PrivateKey, request: bytes, draw: Draw = _scalar) -> bytes:
    """Return the answer to a request.

    The request proves nothing of its context, so the issuer vouches for none: what it says, it says by the key.

    Raises
    ------
    ForgeryError
        Malformed, or its proof does not hold.
    """
    m1_enc, m2_enc = _read_request(request)
    public, b = key.public, draw()
    t1, t2 = b * key.x1 % P256.order, b * key.x2 % P256.order
    enc_u = P256.add(P256.mul(b, public.x0), P256.add(P256.mul(t1, m1_enc), P256.mul(t2, m2_enc)))
    aux = [P256.mul(b * x % P256.order, H) for x in (key.xb, key.x1, key.x2, 1)]
    answered = (P256.base_mul(b), enc_u, *aux)
    witness = (key.x0, key.x1, key.x2, key.xb, b, t1, t2)
    statement = _response_statement(public, (m1_enc, m2_enc), answered)
    return b"".join(map(encode, answered)) + prove(SUITE + b"CredentialResponse", statement, witness, draw)


@dataclass(frozen=True)
class Credential:
    """What a client holds."""

    m1: int = field(repr=False)
    u: Point = field(repr=False)
    u_prime: Point = field(repr=False)
    x1: Point


def finish(secrets: Secrets, response: bytes, public: PublicKey) -> Credential:
    """Return the credential, if the issuer used the key that it uses for everybody.

    Raises
    ------
    ForgeryError
        Malformed, or its proof does not hold: another key, which would mark the holder.
    """
    if len(response) != RESPONSE:
        raise ForgeryError(f"credential response refused: it has {RESPONSE} bytes")
    answered = tuple(decode(response[POINT * i : POINT * (i + 1)]) for i in range(6))
    asked = decode(secrets.request[:POINT]), decode(secrets.request[POINT : 2 * POINT])
    check(SUITE + b"CredentialResponse", _response_statement(public, asked, answered), response[6 * POINT :])
    u, enc_u, x0_aux, x1_aux, x2_aux, _ = answered
    blinding = P256.add(x0_aux, P256.add(P256.mul(secrets.r1, x1_aux), P256.mul(secrets.r2, x2_aux)))
    return Credential(secrets.m1, u, P256.sub(enc_u, blinding), public.x1)


def bases(limit: int) -> list[int]:
    """Return numbers, largest first, whose sums over subsets are exactly 0 to limit - 1.

    Raises
    ------
    ParameterError
        A limit below 2.
    """
    if limit < 2:
        raise ParameterError(f"a credential is shown at least twice under the draft's proof; the limit is {limit}")
    powers = [1 << i for i in range((limit - 1).bit_length() - 1)]
    return sorted([*powers, limit - sum(powers) - 1], reverse=True)


def _presentation_statement(
    shown: tuple[Point, ...], v: Point, x1: Point, t: Point, bits: tuple[Point, ...]
) -> Statement:
    """Scalars: m1, z, -r, nonce, its blinding; then a bit, its blinding and the product a bit's commitment."""
    u, u_prime_commit, m1_commit, tag, nonce_commit = shown
    elements = [G, H, u, u_prime_commit, m1_commit, v, x1, tag, t, nonce_commit]
    equations: list[Equation] = [
        (4, ((0, 2), (1, 1))),
        (5, ((1, 6), (2, 0))),
        (9, ((3, 0), (4, 1))),
        (8, ((0, 7), (3, 7))),
    ]
    places = range(len(elements), len(elements) + len(bits))
    if len(bits) == 1 and P256.equal(bits[0], nonce_commit):  # elements of a statement differ from one another
        places = range(9, 10)
    else:
        elements += bits
    for i, place in enumerate(places):
        bit, blinding, product = range(5 + 3 * i, 8 + 3 * i)
        equations += [(place, ((bit, 0), (blinding, 1))), (place, ((bit, place), (product, 1)))]
    return Statement(5 + 3 * len(bits), tuple(elements), tuple(equations))


def presentation_bytes(limit: int) -> int:
    """Bytes of a presentation."""
    n = len(bases(limit))
    return POINT * (5 + n) + SCALAR * (6 + 3 * n)


def present(
    credential: Credential, context: bytes, nonce: int, limit: int, use: bytes = b"", draw: Draw = _scalar
) -> bytes:
    """Return a presentation: five points, one a bit of the nonce, and a proof.

    ``use`` binds it to more than its context, a verifier's challenge for one; the draft has none.

    Raises
    ------
    ParameterError
        The nonce is not below the limit: the credential has been shown as often as it may.
    """
    if not 0 <= nonce < limit:
        raise ParameterError(f"this credential has been shown {limit} times in this context; fetch another")
    a, r, z, blinding = draw(), draw(), draw(), draw()
    order = P256.order
    u, u_prime = P256.mul(a, credential.u), P256.mul(a, credential.u_prime)
    t = hash_to_group(context, b"Tag")
    tag = P256.mul(pow(credential.m1 + nonce, -1, order), t)
    shown = (
        u,
        P256.add(u_prime, P256.base_mul(r)),
        P256.add(P256.mul(credential.m1, u), P256.mul(z, H)),
        tag,
        P256.add(P256.base_mul(nonce), P256.mul(blinding, H)),
    )
    v = P256.sub(P256.mul(z, credential.x1), P256.base_mul(r))
    sizes, left, values = bases(limit), nonce, []
    for base in sizes:
        values.append(int(left >= base))
        left -= base * values[-1]
    blindings = [draw() for _ in sizes[:-1]]
    rest = blinding - sum(base * s for base, s in zip(sizes, blindings, strict=False))
    blindings.append(rest * pow(sizes[-1], -1, order) % order)  # so that they add up to the nonce's commitment
    bits = tuple(P256.add(P256.base_mul(b), P256.mul(s, H)) for b, s in zip(values, blindings, strict=True))
    witness = [credential.m1, z, -r % order, nonce, blinding]
    for value, s in zip(values, blindings, strict=True):
        witness += [value, s, (1 - value) * s % order]
    statement = _presentation_statement(shown, v, credential.x1, t, bits)
    proof = prove(SUITE + b"CredentialPresentation" + use, statement, witness, draw)
    return b"".join(map(encode, (*shown, *bits))) + proof


def verify(
    key: PrivateKey, request_context: bytes, context: bytes, limit: int, presentation: bytes, use: bytes = b""
) -> bytes:
    """Return a presentation's tag, which the caller must not have seen in this context.

    Raises
    ------
    ForgeryError
        Malformed, of another context or issuer, beyond the limit, or made for another use.
    """
    sizes = bases(limit)
    if len(presentation) != presentation_bytes(limit):
        raise ForgeryError("presentation refused: it is too short or too long")
    points = [decode(presentation[POINT * i : POINT * (i + 1)]) for i in range(5 + len(sizes))]
    shown, bits = tuple(points[:5]), tuple(points[5:])
    u, u_prime_commit, m1_commit, _, nonce_commit = shown
    if not P256.equal(_weighted(sizes, bits), nonce_commit):
        raise ForgeryError("presentation refused: its bits are not those of its nonce")
    whole = (key.x0 + key.x2 * attribute(request_context)) % P256.order
    v = P256.sub(P256.add(P256.mul(whole, u), P256.mul(key.x1, m1_commit)), u_prime_commit)
    statement = _presentation_statement(shown, v, key.public.x1, hash_to_group(context, b"Tag"), bits)
    check(SUITE + b"CredentialPresentation" + use, statement, presentation[POINT * len(points) :])
    return encode(shown[3])


def _weighted(weights: Iterable[int], points: Iterable[Point]) -> Point:
    return P256.combine(list(weights), list(points))
