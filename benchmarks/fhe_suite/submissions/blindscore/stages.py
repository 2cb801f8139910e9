"""blindscore: ring-LWE without any multiplication of ciphertexts; see blindscore_crypto.encrypted.

One person: the engine of the default parameters, one-hot person times reversed points, flooded, so that a reply hides
the points to the extent that docs/encrypted.md states. Many: 4,096 people a block at N = 4096, q = 2^48, one
coefficient a person; flooding is a few bits there, so a reply hides the points less. No masks and no signatures: the
workload asks for neither.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "harness"))
import numpy as np
from stages import main, ones, timed, write
from workload import BASE, BINS, CHARACTERISTICS

from blindscore_crypto.encrypted.batch import rlwe as batch
from blindscore_crypto.encrypted.engines.choice import scheme_for
from blindscore_crypto.encrypted.parameters import DEFAULT

SINGLE = scheme_for(DEFAULT)


def client_key_generation(place: Path) -> None:
    """One secret of 32 bytes; the server needs no key at all."""
    write(place / "secret", "key", os.urandom(32))


def client_encode_encrypt_input(place: Path) -> None:
    """Encrypt one person, or blocks of 4,096."""
    key, bins = (place / "secret/key").read_bytes(), np.load(place / "dataset/bins.npy")
    with timed(place, "encrypt"):
        if len(bins) == 1:
            write(place / "upload", "0", SINGLE.encrypt(key, ones(bins[0], BINS)))
            return
        for k, start in enumerate(range(0, len(bins), batch.PEOPLE)):
            part = bins[start : start + batch.PEOPLE]
            columns = (part[:, :, None] == np.arange(BINS)).reshape(len(part), -1).T
            write(place / "upload", str(k), batch.encrypt_block(key, columns.astype(np.int64)))


def server_preprocess_model(place: Path) -> None:
    """Lay the points out in one row."""
    write(place / "server", "weights", np.load(place / "dataset/card.npy").astype("<i8").tobytes())


def server_encrypted_compute(place: Path) -> None:
    """Add up points under encryption."""
    weights = np.frombuffer((place / "server/weights").read_bytes(), "<i8").astype(np.int64)
    uploads = sorted((place / "upload").iterdir(), key=lambda path: int(path.name))
    single = (place / "upload/0").stat().st_size == SINGLE.upload_bytes
    with timed(place, "compute"):
        for path in uploads:
            upload = path.read_bytes()
            if single:
                rows = np.zeros((SINGLE.outputs, len(weights)), np.int64)
                rows[0] = weights
                SINGLE.check(upload)
                reply = SINGLE.evaluate(upload, rows, np.zeros(SINGLE.outputs, np.int64), os.urandom)
            else:
                reply = batch.evaluate_block(upload, weights, np.zeros(batch.PEOPLE, np.int64))
            write(place / "download", path.name, reply)


def client_decrypt_decode(place: Path) -> None:
    """Open the totals; what wrapped around the modulus is negative."""
    key, people = (place / "secret/key").read_bytes(), 0
    replies = sorted((place / "download").iterdir(), key=lambda path: int(path.name))
    single = replies[0].stat().st_size == SINGLE.reply_bytes
    with timed(place, "open"):
        if single:
            opened, modulus, people = SINGLE.open(key, replies[0].read_bytes())[:1], SINGLE.t, 1
        else:
            blocks = [batch.open_block(key, path.read_bytes()) for path in replies]
            opened, modulus = np.concatenate(blocks), batch.T
    centred = (opened + modulus // 2) % modulus - modulus // 2
    np.save(place / "totals.npy", BASE + centred[: people or _people(place)])


def _people(place: Path) -> int:
    from workload import SIZES

    return SIZES[int(place.name)][1]


assert SINGLE.capacity >= CHARACTERISTICS * BINS

if __name__ == "__main__":
    main(globals())
