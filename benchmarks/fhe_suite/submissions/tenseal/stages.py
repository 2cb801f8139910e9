"""TenSEAL: BFV in Microsoft SEAL through TenSEAL's public interface, as its own tutorials use it.

One person: a vector of 24 x 6 ones and zeros, `dot` with the server's points; N = 4096, which SEAL holds to 128 bits.
Many: one ciphertext a bin of 4,096 people, each times its points, added up. A reply is not flooded: it hides the points
no more than its noise happens to.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "harness"))
import numpy as np
from stages import main, timed, write
from workload import BASE, BINS, SIZES

try:
    import tenseal as ts
except ImportError:
    sys.exit(3)

SLOTS, MODULUS = 4096, 1032193


def client_key_generation(place: Path) -> None:
    """Secret, public, and the rotation keys that `dot` needs."""
    context = ts.context(ts.SCHEME_TYPE.BFV, poly_modulus_degree=SLOTS, plain_modulus=MODULUS)
    if int(place.name) == 0:
        context.generate_galois_keys()
    write(place / "secret", "context", context.serialize(save_secret_key=True))
    write(place / "public", "context", context.serialize(save_secret_key=False))


def _context(place: Path, whose: str) -> ts.Context:
    return ts.context_from((place / whose / "context").read_bytes())


def client_encode_encrypt_input(place: Path) -> None:
    """Encrypt one person's ones, or the columns of blocks of 4,096."""
    bins, context = np.load(place / "dataset/bins.npy"), _context(place, "secret")
    with timed(place, "encrypt"):
        if len(bins) == 1:
            row = (bins[0][:, None] == np.arange(BINS)).ravel().astype(int)
            write(place / "upload", "0", ts.bfv_vector(context, row.tolist()).serialize())
            return
        for k, start in enumerate(range(0, len(bins), SLOTS)):
            part = bins[start : start + SLOTS]
            columns = (part[:, :, None] == np.arange(BINS)).reshape(len(part), -1).T.astype(int)
            for c, column in enumerate(columns):
                write(place / "upload", f"{k}.{c}", ts.bfv_vector(context, column.tolist()).serialize())


def server_preprocess_model(place: Path) -> None:
    """Lay the points out in one row."""
    write(place / "server", "weights", np.load(place / "dataset/card.npy").astype("<i8").tobytes())


def server_encrypted_compute(place: Path) -> None:
    """Add up points under encryption."""
    weights = np.frombuffer((place / "server/weights").read_bytes(), "<i8").tolist()
    context = _context(place, "public")
    with timed(place, "compute"):
        if (place / "upload/0").exists():
            upload = (place / "upload/0").read_bytes()
            write(place / "download", "0", ts.bfv_vector_from(context, upload).dot(weights).serialize())
            return
        blocks = sorted({int(path.name.partition(".")[0]) for path in (place / "upload").iterdir()})
        for k in blocks:
            total = None
            for c, weight in enumerate(weights):
                if weight == 0:  # SEAL refuses a product that would show a zero
                    continue
                term = ts.bfv_vector_from(context, (place / "upload" / f"{k}.{c}").read_bytes())
                term = term * ([weight] * term.size())
                total = term if total is None else total + term
            write(place / "download", str(k), total.serialize())


def client_decrypt_decode(place: Path) -> None:
    """Decrypt the totals."""
    context = _context(place, "secret")
    replies = sorted((place / "download").iterdir(), key=lambda path: int(path.name))
    with timed(place, "open"):
        opened = np.concatenate([ts.bfv_vector_from(context, path.read_bytes()).decrypt() for path in replies])
    np.save(place / "totals.npy", BASE + opened[: SIZES[int(place.name)][1]])


if __name__ == "__main__":
    main(globals())
