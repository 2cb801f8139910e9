"""OpenFHE: BFV (RNS) through its Python package's public interface, the ring's degree by its own 128-bit table.

One person: a packed vector of 24 x 6 ones and zeros, `EvalInnerProduct` with the server's points. Many: one ciphertext
a bin of as many people as a ring has slots, each times its points, added up. A reply is not flooded: it hides the
points no more than its noise happens to. Version 1.6.1 imports on Python 3.10 alone: `--python openfhe=PATH`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "harness"))
import numpy as np
from stages import main, timed, write
from workload import BASE, BINS, CHARACTERISTICS, SIZES

try:
    import openfhe as fhe
except ImportError:
    sys.exit(3)

MODULUS, WIDTH = 65537, 256  # a prime that is 1 modulo twice any ring's degree up to 32,768; the next power over 144


def client_key_generation(place: Path) -> None:
    """Secret and public key, and the rotation keys that one person's sum needs."""
    parameters = fhe.CCParamsBFVRNS()
    parameters.SetPlaintextModulus(MODULUS)
    parameters.SetMultiplicativeDepth(int(int(place.name) == 0))  # the rotations of one person's sum need room
    parameters.SetSecurityLevel(fhe.SecurityLevel.HEStd_128_classic)
    context = fhe.GenCryptoContext(parameters)
    for feature in (fhe.PKESchemeFeature.PKE, fhe.PKESchemeFeature.LEVELEDSHE, fhe.PKESchemeFeature.ADVANCEDSHE):
        context.Enable(feature)
    keys = context.KeyGen()
    for name, held in (("context", context), ("public", keys.publicKey)):
        write(place / "public", name, fhe.Serialize(held, fhe.BINARY))
    write(place / "secret", "secret", fhe.Serialize(keys.secretKey, fhe.BINARY))
    if int(place.name) == 0:
        context.EvalSumKeyGen(keys.secretKey)
        write(place / "public", "rotations", fhe.SerializeEvalAutomorphismKeyString(fhe.BINARY))


def _context(place: Path) -> Any:
    return fhe.DeserializeCryptoContextString((place / "public/context").read_bytes(), fhe.BINARY)


def client_encode_encrypt_input(place: Path) -> None:
    """Encrypt one person's ones, or the columns of blocks of people."""
    bins, context = np.load(place / "dataset/bins.npy"), _context(place)
    key = fhe.DeserializePublicKeyString((place / "public/public").read_bytes(), fhe.BINARY)

    def encrypt(values: list[int]) -> bytes:
        sealed: bytes = fhe.Serialize(context.Encrypt(key, context.MakePackedPlaintext(values)), fhe.BINARY)
        return sealed

    with timed(place, "encrypt"):
        if len(bins) == 1:
            row = (bins[0][:, None] == np.arange(BINS)).ravel().astype(int)
            write(place / "upload", "0", encrypt(row.tolist()))
            return
        slots = context.GetRingDimension()
        for k, start in enumerate(range(0, len(bins), slots)):
            part = bins[start : start + slots]
            columns = (part[:, :, None] == np.arange(BINS)).reshape(len(part), -1).T.astype(int)
            for c, column in enumerate(columns):
                write(place / "upload", f"{k}.{c}", encrypt(column.tolist()))


def server_preprocess_model(place: Path) -> None:
    """Lay the points out in one row."""
    write(place / "server", "weights", np.load(place / "dataset/card.npy").astype("<i8").tobytes())


def server_encrypted_compute(place: Path) -> None:
    """Add up points under encryption."""
    weights = np.frombuffer((place / "server/weights").read_bytes(), "<i8").tolist()
    context = _context(place)

    def received(name: str) -> Any:
        return fhe.DeserializeCiphertextString((place / "upload" / name).read_bytes(), fhe.BINARY)

    with timed(place, "compute"):
        if (place / "upload/0").exists():
            fhe.DeserializeEvalAutomorphismKeyString((place / "public/rotations").read_bytes(), fhe.BINARY)
            total = context.EvalInnerProduct(received("0"), context.MakePackedPlaintext(weights), WIDTH)
            write(place / "download", "0", fhe.Serialize(total, fhe.BINARY))
            return
        slots = context.GetRingDimension()
        factors = [context.MakePackedPlaintext([weight] * slots) for weight in weights]
        blocks = sorted({int(path.name.partition(".")[0]) for path in (place / "upload").iterdir()})
        for k in blocks:
            total = context.EvalMult(received(f"{k}.0"), factors[0])
            for c in range(1, CHARACTERISTICS * BINS):
                context.EvalAddInPlace(total, context.EvalMult(received(f"{k}.{c}"), factors[c]))
            write(place / "download", str(k), fhe.Serialize(total, fhe.BINARY))


def client_decrypt_decode(place: Path) -> None:
    """Decrypt the totals."""
    context = _context(place)
    secret = fhe.DeserializePrivateKeyString((place / "secret/secret").read_bytes(), fhe.BINARY)
    replies = sorted((place / "download").iterdir(), key=lambda path: int(path.name))
    people = SIZES[int(place.name)][1]
    with timed(place, "open"):
        opened = []
        for path in replies:
            plain = context.Decrypt(secret, fhe.DeserializeCiphertextString(path.read_bytes(), fhe.BINARY))
            plain.SetLength(1 if people == 1 else context.GetRingDimension())
            opened.append(np.array(plain.GetPackedValue(), dtype=np.int64))
    np.save(place / "totals.npy", BASE + np.concatenate(opened)[:people])


if __name__ == "__main__":
    main(globals())
