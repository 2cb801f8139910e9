"""Group, hash-to-curve and scalars: known answers, and encodings that must bounce."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blindscore.errors import ForgeryError, ParameterError
from blindscore_crypto.sealed.groups.group import (
    P256_GROUP,
    decode_scalar,
    encode_scalar,
    independent_bases,
    random_scalar,
)
from blindscore_crypto.sealed.groups.hash_to_curve import P, expand_message_xmd, hash_to_field

OWN = Path(__file__).parents[1] / "vectors"
SHARED = Path(__file__).parents[3] / "shared" / "vectors"
ORDER = P256_GROUP.order


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout")
    return path


def check_hash_to_curve(path: Path) -> None:
    suite = json.loads(path.read_text())
    for vector in suite["vectors"]:
        message, dst = vector["msg"].encode(), suite["dst"].encode()
        assert hash_to_field(message, dst, 2) == [int(u, 16) for u in vector["u"]]
        x, y = P256_GROUP.hash_to_point(message, dst).xy
        assert (x, y) == (int(vector["P"]["x"], 16), int(vector["P"]["y"], 16))


def test_hash_to_curve_gives_the_known_points():
    check_hash_to_curve(OWN / "fresh_h2c_p256_ro.json")


def test_hash_to_curve_gives_the_points_of_rfc_9380():
    check_hash_to_curve(shared("rfc9380_h2c_p256_xmd_sha256_sswu_ro.json"))


@pytest.mark.parametrize("dst_bytes", [38, 256])
def test_expand_message_gives_the_bytes_of_rfc_9380(dst_bytes):
    suite = json.loads(shared(f"rfc9380_expand_message_xmd_sha256_dst{dst_bytes}.json").read_text())
    for vector in suite["tests"]:
        out = expand_message_xmd(vector["msg"].encode(), suite["DST"].encode(), int(vector["len_in_bytes"], 16))
        assert out.hex() == vector["uniform_bytes"]


def test_expand_message_refuses_more_than_it_can_give():
    assert len(expand_message_xmd(b"m", b"d", 255 * 32)) == 255 * 32
    with pytest.raises(ParameterError, match="at most"):
        expand_message_xmd(b"m", b"d", 255 * 32 + 1)


def test_bases_are_all_different_and_none_is_the_generator():
    bases = [P256_GROUP.encode(p) for p in independent_bases(P256_GROUP, b"range proof bits", 32)]
    assert len({*bases, P256_GROUP.encode(P256_GROUP.base_mul(1))}) == 33


@given(st.integers(1, ORDER - 1))
@settings(max_examples=20, deadline=None)
def test_points_and_scalars_survive_a_round_trip(k):
    point = P256_GROUP.base_mul(k)
    assert P256_GROUP.equal(P256_GROUP.decode(P256_GROUP.encode(point)), point)
    assert decode_scalar(P256_GROUP, encode_scalar(k)) == k


@pytest.mark.parametrize("n", [1, 3, 60, 130])
@pytest.mark.parametrize("bits", [9, 255])
def test_combine_is_the_sum_of_products(n, bits):
    points = [P256_GROUP.base_mul(random_scalar(P256_GROUP)) for _ in range(n)]
    scalars = [secrets.randbelow(1 << bits) - (1 << (bits - 1)) for _ in range(n - 1)] + [0]
    expected = P256_GROUP.identity()
    for k, point in zip(scalars, points, strict=True):
        expected = P256_GROUP.add(expected, P256_GROUP.mul(k, point))
    assert P256_GROUP.equal(P256_GROUP.combine(scalars, points), expected)


def test_combine_of_nothing_is_the_identity():
    assert P256_GROUP.equal(P256_GROUP.combine([], []), P256_GROUP.identity())


GOOD_POINT = P256_GROUP.encode(P256_GROUP.base_mul(7))
# x = 0 lies on P-256, so a coordinate of p encodes that same point a second time.
ROOT_B = pow(0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B, (P + 1) // 4, P)
X_ZERO = b"\x04" + bytes(32) + ROOT_B.to_bytes(32, "big")
FORM, CURVE, CANONICAL = "must be 65 bytes in SEC 1", "does not lie on the curve", "identity or not in canonical form"
BAD_POINTS = {
    "truncated": (GOOD_POINT[:-1], FORM),
    "oversized": (GOOD_POINT + b"\0", FORM),
    "empty": (b"", FORM),
    "compressed form": (bytes([2 + GOOD_POINT[-1] % 2]) + GOOD_POINT[1:33], FORM),
    "hybrid form": (bytes([6 + GOOD_POINT[-1] % 2]) + GOOD_POINT[1:], FORM),
    "off the curve": (GOOD_POINT[:-1] + bytes([GOOD_POINT[-1] ^ 1]), CURVE),
    "identity as (0, 0)": (b"\x04" + bytes(64), CANONICAL),
    "identity of SEC 1": (b"\0", FORM),
    "x not reduced": (b"\x04" + P.to_bytes(32, "big") + X_ZERO[33:], CANONICAL),
    "y not reduced": (b"\x04" + bytes(32) + b"\xff" * 32, CANONICAL),
}


@pytest.mark.parametrize("name", BAD_POINTS)
def test_a_bad_point_is_refused_and_its_good_twin_is_not(name):
    P256_GROUP.decode(GOOD_POINT)
    P256_GROUP.decode(X_ZERO)
    bad, said = BAD_POINTS[name]
    with pytest.raises(ForgeryError, match=said):
        P256_GROUP.decode(bad)


@pytest.mark.parametrize("data", [ORDER.to_bytes(32, "big"), b"\xff" * 32, bytes(31), bytes(33)])
def test_a_scalar_that_is_not_canonical_is_refused(data):
    assert decode_scalar(P256_GROUP, (ORDER - 1).to_bytes(32, "big")) == ORDER - 1
    with pytest.raises(ForgeryError, match="canonical"):
        decode_scalar(P256_GROUP, data)


def test_the_identity_has_no_encoding():
    with pytest.raises(ForgeryError, match="identity"):
        P256_GROUP.encode(P256_GROUP.identity())


def test_foreign_points_of_wycheproof_are_refused():
    suite = json.loads(shared("wycheproof_ecdh_p256_ecpoint.json").read_text())
    seen = {"valid": 0, "invalid": 0}
    for group in suite["testGroups"]:
        for case in group["tests"]:
            data = bytes.fromhex(case["public"])
            if len(data) != 65:
                continue  # compressed points are valid elsewhere and no encoding here
            seen[case["result"]] = seen.get(case["result"], 0) + 1
            if case["result"] == "valid":
                P256_GROUP.decode(data)
            elif case["result"] == "invalid":
                with pytest.raises(ForgeryError, match=f"{CURVE}|{CANONICAL}"):
                    P256_GROUP.decode(data)
    assert seen["valid"] > 0
