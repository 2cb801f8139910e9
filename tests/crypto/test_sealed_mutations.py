"""Hostile frames: valid encodings in wrong places reach the arithmetic, and nothing but a refusal comes back."""

from __future__ import annotations

import random

import pytest

from blindscore.errors import ForgeryError, MissingExtraError
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.check import check
from blindscore_crypto.sealed.groups.group import P256_GROUP, Group, encode_scalar, independent_bases
from blindscore_crypto.sealed.offer import HEAD_BYTES
from tests.crypto.sealed_world import GOOD, World

MUTATIONS = 60


def groups() -> list[Group]:
    found: list[Group] = [P256_GROUP]
    try:
        from blindscore_crypto.sealed.groups.ristretto import ristretto255

        found.append(ristretto255())
    except MissingExtraError:
        pass
    return found


def elements(group: Group, frame: bytes) -> list[int]:
    """Where valid elements stand in a frame."""
    found, at = [], HEAD_BYTES
    while at + group.point_bytes <= len(frame):
        try:
            group.decode(frame[at : at + group.point_bytes])
            found.append(at)
            at += group.point_bytes
        except ForgeryError:
            at += 1
    return found


def mutations(group: Group, frame: bytes, rng: random.Random):
    """Yield (what, frame): elements replaced by other valid elements, scalars by special ones, blocks swapped."""
    at = elements(group, frame)
    g, h = group.base_mul(1), independent_bases(group, b"pedersen value", 1)[0]
    for _ in range(MUTATIONS):
        bad = bytearray(frame)
        what = rng.choice(["element", "negated", "copied", "scalar", "swap"])
        i = rng.choice(at)
        here = group.decode(frame[i : i + group.point_bytes])
        if what == "element":
            new = group.encode(rng.choice([g, h, group.base_mul(rng.randrange(1, group.order))]))
            bad[i : i + group.point_bytes] = new
        elif what == "negated":
            bad[i : i + group.point_bytes] = group.encode(group.sub(group.identity(), here))
        elif what == "copied":
            j = rng.choice(at)
            bad[i : i + group.point_bytes] = frame[j : j + group.point_bytes]
        elif what == "scalar":
            j = len(frame) - 32 * rng.randrange(1, 12)
            bad[j : j + 32] = encode_scalar(rng.choice([0, 1, group.order - 1, rng.randrange(group.order)]))
        else:
            j = len(frame) - 32 * rng.randrange(2, 12)
            bad[j : j + 64] = frame[j + 32 : j + 64] + frame[j : j + 32]
        if bytes(bad) != frame:
            yield what, bytes(bad)


# What may refuse one: an encoding, a signature or a proof; the length and the asker's own signature are in order.
ARITHMETIC = (
    "canonical|on the curve|not the identity|SEC 1 uncompressed|does not verify|does not hold|is not one of"
    "|one and the same person|neither a proof nor a refusal|another day or epoch|other terms"
)


@pytest.mark.parametrize("blind", [False, True], ids=["sealed", "one-show"])
@pytest.mark.parametrize("group", groups(), ids=lambda g: g.name)
def test_no_mutation_of_an_answer_is_accepted(group, blind):
    """The asker signs its own mutations: what refuses them is the arithmetic."""
    world, client = World(group=group, blind=blind), SigningKey()
    answer = world.answer(GOOD, client=client)
    assert check(world.terms, answer).approved
    tried = 0
    for _, bad in mutations(group, answer[:-64], random.Random(1)):
        with pytest.raises(ForgeryError, match=ARITHMETIC):
            check(world.terms, bad + client.sign(bad, Purpose.ANSWER))
        tried += 1
    assert tried > MUTATIONS // 2
