"""Throws mutated messages at one receiver, in a process of its own with limited memory; run by test_encrypted_hostile.

``python hostile_child.py KIND COUNT SEED`` prints one JSON object: how many mutations were refused, harmless (a reply
that still opens to the true score), or accepted in spite of everything. A crash or a hang shows in the exit status.
"""

from __future__ import annotations

import json
import resource
import struct
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blindscore.errors import ForgeryError
from blindscore.parties.message import Message
from blindscore_crypto.channel.frames import HEADER_BYTES
from blindscore_crypto.channel.purposes import Purpose
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.compare.deal import HELPER, SealedKeys
from blindscore_crypto.encrypted.compare.exchange import Check, Share, Telling, read_commitment
from blindscore_crypto.encrypted.parameters import DEFAULT, RLWE
from blindscore_crypto.encrypted.results import Receipt, Result
from blindscore_crypto.encrypted.wire import Ask, Opening, opening_bytes, reply_bytes
from tests.crypto.encrypted_world import World, random_bins, random_card

PURPOSES = {
    "application": Purpose.ENCRYPTED_ATTESTATION,
    "receipt": Purpose.ENCRYPTED_RECEIPT,
    "result": Purpose.ENCRYPTED_RESULT,
    "keys": Purpose.COMPARISON_KEYS,
    "check": Purpose.COMPARISON_CHECK,
    "commitment": Purpose.COMPARISON_COMMITMENT,
    "telling": Purpose.COMPARISON_TELLING,
    "share": Purpose.COMPARISON_SHARE,
}
KINDS = ("ask", "application", "reply", "opening", *list(PURPOSES)[1:])
MEMORY = 2**30  # bytes of address space that mutations may take beyond what the libraries hold already
BOMB = bytes.fromhex("28b52ffd") + b"\x00" * 40  # the head of a zstd stream


def mutate(rng: np.random.Generator, message: bytes, other: bytes, cuts: list[int]) -> bytes:
    """Return one structure-aware mutation of a message; ``cuts`` are where its fields begin."""
    out = bytearray(message)
    field = int(rng.integers(len(cuts)))
    start = cuts[field]
    end = cuts[field + 1] if field + 1 < len(cuts) else len(out)
    match int(rng.integers(11)):
        case 0:  # a flipped bit, anywhere
            out[int(rng.integers(len(out)))] ^= 1 << int(rng.integers(8))
        case 1:  # a flipped bit in a chosen field, so that short fields get their share
            out[int(rng.integers(start, end))] ^= 1 << int(rng.integers(8))
        case 2:  # a field of zeros: a seed or a polynomial that is nothing
            out[start:end] = bytes(end - start)
        case 3:  # a field of ones: residues beyond their primes
            out[start:end] = b"\xff" * (end - start)
        case 4:  # a field of another valid message
            out[start:end] = other[start:end]
        case 5:  # cut short
            del out[int(rng.integers(len(out))) :]
        case 6:  # too long
            out += rng.bytes(int(rng.integers(1, 64)))
        case 7:  # a header that lies about kind, set, version or length
            out[int(rng.integers(4, HEADER_BYTES))] = int(rng.integers(256))
        case 8:  # random bytes in the middle
            at = int(rng.integers(len(out)))
            noise = rng.bytes(min(32, len(out) - at))
            out[at : at + len(noise)] = noise
        case 9:  # a compressed bomb's head, and a length that promises gigabytes
            at = int(rng.integers(len(out)))
            out[at : at + len(BOMB)] = BOMB
            out[8:12] = struct.pack(">I", 2**32 - 1)
        case _:  # two pieces in each other's place
            a, b = sorted(rng.integers(0, len(out), 2).tolist())
            out = out[b:] + out[a:b] + out[:a]
    return bytes(out)


class Stage:
    """Two played applications, and a receiver of one kind to throw at."""

    def __init__(self, kind: str) -> None:
        self.kind, self.stranger = kind, SigningKey()
        compared = kind in ("keys", "check", "commitment", "telling", "share")
        self.p = DEFAULT if compared else RLWE
        card = random_card(np.random.default_rng(1), characteristics=6)
        rows = random_bins(np.random.default_rng(2), card, 2)
        way = "decision" if compared else "score" if kind == "reply" else "sign"
        self.world = World.of(card, self.p, way, rows=rows, share=0.01)
        self.played, self.waiting = [], {}
        for who in ("p-1", "p-2"):
            self.world.sent.clear()
            wallet = self.world.play(change=self.note, who=who)
            self.played.append((wallet, {m.kind: m.body for _, m in self.world.sent}))
        # or every mutation would bounce as a replay before its own fault shows
        self.world.lender.store.sweep(10**9)

    def note(self, sender: object, message: Message) -> Message:
        """Remember the sessions that wait for an opening."""
        if message.kind == "opening":
            self.waiting |= dict(self.world.lender.store.items("open"))
        return message

    def message(self, sent: dict[str, bytes]) -> bytes:
        """Return the message of this stage's kind among those that were sent."""
        if self.kind == "receipt":
            return sent["reply"][reply_bytes(self.p) :]
        if self.kind == "keys":
            return sent["opening"][opening_bytes(self.p) :]
        return sent[self.kind][: opening_bytes(self.p)] if self.kind == "opening" else sent[self.kind]

    def receiver(self) -> tuple[list[bytes], list[int], Callable[[bytes], str]]:
        """Two valid messages of a kind, where fields begin, and what becomes of a message: accepted or harmless."""
        pair = [self.message(sent) for _, sent in self.played]
        wallet, sent = self.played[0]
        world, p = self.world, self.p
        lender_key = world.lender.way.signer.public if self.kind != "reply" else None
        sources = {world.bank.public.id: world.bank.public}

        def ask(message: bytes) -> str:
            whole, mutated = Ask.decode(pair[0]), Ask.decode(message)
            # keys, pseudonym, nonce are the asker's own business; layout and parameters are not
            changed = (whole.layout, whole.parameters) != (mutated.layout, mutated.parameters)
            return "other layout" if changed else "own business"

        def application(message: bytes) -> str:
            world.lender.answer(message, "wallet")
            return "accepted"

        def reply(message: bytes) -> str:
            opening = wallet.open(message)
            if Opening.read(opening, p).values.tolist() == Opening.read(sent["opening"], p).values.tolist():
                return "harmless"
            world.lender.store.put("open", wallet.nonce, self.waiting[wallet.nonce])
            world.conclude(opening)  # one that opens to something else must not survive the lender's check
            return "accepted"

        read: dict[str, Callable[[bytes], object]] = {
            "opening": lambda m: self.own(Opening.read(m, p), wallet.nonce),
            "receipt": lambda m: Receipt.read(m, p, lender_key),
            "result": lambda m: Result.read_frame(m, p, lender_key),
            "keys": lambda m: SealedKeys.read(p, m, HELPER, sources),
            "check": lambda m: Check.read(p, m, lender_key),
            "telling": lambda m: Telling.read(p, m, lender_key),
            "commitment": lambda m: read_commitment(p, m, world.helper.public),
            "share": lambda m: Share.read(p, m, world.helper.public),
        }
        receive = {"ask": ask, "application": application, "reply": reply}
        fields = [HEADER_BYTES, 16, 32, 48, 64, 80, 96, 112, 128, 160, 176, 208, len(pair[0]) - 64]
        cuts = [0, 4, *sorted({at for at in fields if HEADER_BYTES <= at < len(pair[0])})]
        return pair, cuts, receive.get(self.kind) or (lambda m: read[self.kind](m) and "accepted")

    @staticmethod
    def own(opening: Opening, nonce: bytes) -> str:
        """An opening under another key is another application's, of which nothing waits."""
        if opening.nonce != nonce:
            raise ForgeryError("another application")
        return "accepted"

    def resigned(self, message: bytes) -> bytes:
        """A mutation under a stranger's valid signature, where messages of this kind are signed."""
        start = HEADER_BYTES + 32 if self.kind == "application" else 0  # of what the signature covers
        return message[:-64] + self.stranger.sign(message[start:-64], PURPOSES[self.kind])


def main(kind: str, count: int, seed: int) -> dict[str, int]:
    """Throw ``count`` mutations and count what became of them."""
    stage = Stage(kind)
    (message, other), cuts, receive = stage.receiver()
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    rng = np.random.default_rng(seed)
    seen: Counter[str] = Counter()
    for _ in range(count):
        forged = mutate(rng, message, other, cuts)
        if kind in PURPOSES and rng.integers(5) == 0:
            forged = stage.resigned(forged)
        if forged in (message, other):
            seen["unchanged"] += 1
            continue
        try:
            seen[receive(forged)] += 1
        except ForgeryError:
            seen["refused"] += 1
    return dict(seen)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
