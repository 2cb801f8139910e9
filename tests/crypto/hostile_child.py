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
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.encrypted.audit import AuditedLender, Transcript, read_result
from blindscore_crypto.encrypted.decision import DealingSource, DecidingLender, Helper
from blindscore_crypto.encrypted.parameters import DEFAULT, RLWE
from blindscore_crypto.encrypted.protocol import Applicant, Source
from tests.crypto.encrypted_world import DAY, random_bins, random_card

SIGNED = ("application", "result", "keys", "check", "share")
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
    """One played application of each kind, and receivers to throw at."""

    def __init__(self) -> None:
        card = random_card(np.random.default_rng(1), characteristics=6)
        rows = random_bins(np.random.default_rng(2), card, 2)
        source = Source()
        self.lender = AuditedLender("the lender", card, [source.public], RLWE, clock=lambda: DAY)
        self.stranger = SigningKey()
        self.played = []
        for row in rows:
            applicant = Applicant("the lender", self.lender.layout, RLWE)
            application = applicant.apply(source.attest(applicant.ask(), "p-1", row, DAY))
            reply = self.lender.answer(application)
            opening = applicant.open(reply)
            nonce = opening[HEADER_BYTES : HEADER_BYTES + 16]
            session = self.lender._sessions[nonce]
            result = self.lender.sign(application, reply, opening)
            self.played.append((applicant, Transcript(application, reply, opening, result), nonce, session))
        self.lender._seen.clear()  # or every mutation would bounce as a replay before its own fault shows

    def receiver(self, kind: str) -> tuple[list[bytes], list[int], Callable[[bytes], str]]:
        """Two valid messages of a kind, where fields begin, and what becomes of a message: accepted or harmless."""
        applicant, transcript, nonce, session = self.played[0]
        pair = [getattr(t, kind) for _, t, _, _ in self.played]

        def application(message: bytes) -> str:
            self.lender.answer(message)
            return "accepted"

        def opening(message: bytes) -> str:
            self.lender._sessions[nonce] = session
            self.lender.conclude(message)
            return "accepted"

        def reply(message: bytes) -> str:
            return "harmless" if applicant.open(message) == transcript.opening else self.refused(applicant, message)

        def result(message: bytes) -> str:
            forged = Transcript(transcript.application, transcript.reply, transcript.opening, message)
            read_result(forged, RLWE, self.lender.public)
            return "accepted"

        inner = HEADER_BYTES + 32 + HEADER_BYTES
        fields = {
            "application": [0, 4, HEADER_BYTES, inner - HEADER_BYTES]
            + [inner + at for at in (0, 16, 48, 80, 96, 100, 132)]
            + [len(pair[0]) - 64],
            "reply": [0, 4, HEADER_BYTES, HEADER_BYTES + 16, HEADER_BYTES + 28],
            "opening": [0, 4, HEADER_BYTES] + [HEADER_BYTES + 16 + 4 * k for k in range(4)],
            "result": [0, 4, HEADER_BYTES, HEADER_BYTES + 16, HEADER_BYTES + 18, HEADER_BYTES + 50, HEADER_BYTES + 82],
        }
        receive = {"application": application, "reply": reply, "opening": opening, "result": result}
        return pair, fields[kind], receive[kind]

    def resigned(self, kind: str, message: bytes) -> bytes:
        """A mutation under a stranger's valid signature, where messages of this kind are signed."""
        context = {"application": b"blindscore/attest/v1", "result": b"blindscore/result/v1"}.get(
            kind, f"blindscore/{kind}/v1".encode()
        )
        start = HEADER_BYTES + 32 if kind == "application" else 0  # of what the signature covers
        return message[:-64] + self.stranger.sign(message[start:-64], context)

    def refused(self, applicant: Applicant, message: bytes) -> str:
        """A reply that opens to something else must not survive the lender's check."""
        _, _, nonce, session = self.played[0]
        self.lender._sessions[nonce] = session
        self.lender.conclude(applicant.open(message))
        return "accepted"


class Comparison(Stage):
    """One compared application, and receivers for what goes between lender, helper and the applicant's keys."""

    def __init__(self) -> None:
        self.stranger = SigningKey()
        card = random_card(np.random.default_rng(1), characteristics=6)
        rows = random_bins(np.random.default_rng(2), card, 2)
        source = DealingSource()
        self.helper = Helper(DEFAULT, [source.public])
        settings = {"threshold": 600, "helper": self.helper.public, "clock": lambda: DAY}
        self.lender = DecidingLender("the lender", card, [source.public], **settings)
        self.frames = []
        for row in rows:
            applicant = Applicant("the lender", self.lender.layout, DEFAULT)
            reply = self.lender.answer(applicant.apply(source.attest(applicant.ask(), "p-1", row, DAY)))
            opening = applicant.open(reply)
            nonce = opening[HEADER_BYTES : HEADER_BYTES + 16]
            own, keys = source.deal(nonce, DEFAULT)
            check = self.lender.consult(nonce, own)
            share = self.helper.compare(check, self.lender.public, keys, opening)
            self.frames.append({"check": check, "keys": keys, "opening": opening, "share": share, "nonce": nonce})
        self.waiting = dict(self.lender._waiting)

    def receiver(self, kind: str) -> tuple[list[bytes], list[int], Callable[[bytes], str]]:
        """As :meth:`Stage.receiver`."""
        one = self.frames[0]

        def take(message: bytes) -> str:
            if kind == "share":
                self.lender._waiting.update(self.waiting)
                self.lender.decide(message)
            else:
                sent = one | {kind: message}
                self.helper.compare(sent["check"], self.lender.public, sent["keys"], sent["opening"])
            return "accepted"

        pair = [frames[kind] for frames in self.frames]
        fields = {"keys": [16, 32, 33, 37, 953], "check": [16 + 4 * k for k in range(13)], "share": [16, 20, 40]}
        cuts = [0, 4, HEADER_BYTES] + [HEADER_BYTES + at for at in fields[kind]] + [len(pair[0]) - 64]
        return pair, cuts, take


def main(kind: str, count: int, seed: int) -> dict[str, int]:
    """Throw ``count`` mutations and count what became of them."""
    stage = Comparison() if kind in ("keys", "check", "share") else Stage()
    (message, other), cuts, receive = stage.receiver(kind)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    rng = np.random.default_rng(seed)
    seen: Counter[str] = Counter()
    for _ in range(count):
        forged = mutate(rng, message, other, cuts)
        if kind in SIGNED and rng.integers(5) == 0:
            forged = stage.resigned(kind, forged)
        if forged in (message, other):
            seen["unchanged"] += 1
            continue
        try:
            seen[receive(forged)] += 1
        except ForgeryError:
            seen["refused"] += 1
    assert receive(message) in ("accepted", "harmless")  # the accepted twin, after all that
    assert pack(Kind.REFUSAL, RLWE.code, b"")  # and the process still works
    return dict(seen)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
