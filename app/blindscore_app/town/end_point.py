"""End point: the channel that an offer is bound to: the lender's certificate, as each end of the line sees it.

RFC 5929, ``tls-server-end-point``: the hash of the server's certificate, by the hash of its own signature. A relay
between wallet and lender shows a certificate of its own, be it one of the same authority for the same host, and the
two ends no longer name one channel. Where requests are sealed to the lender and go through an oblivious relay, the key
that they are sealed to stands in for the certificate. Not protected: whoever holds the lender's key.

Not the exporter of RFC 9266, which would tell two connections to one lender apart: Python's ``ssl`` has none (its only
binding, ``tls-unique``, is not defined for TLS 1.3), and the servers and clients that run here speak through it;
pyOpenSSL exports keying material and none of them speaks through that. What tells two connections of one lender apart
is the one-time key: the offer names its hash, and it signs commitment, proof and refusal.
"""

from __future__ import annotations

import hashlib

from blindscore.errors import ParameterError
from blindscore.extras import needs
from blindscore_crypto.channel.ohttp import KeyConfig

_WEAK = {"md5", "sha1"}  # RFC 5929: SHA-256 in their place


def key_config(encoded: bytes) -> bytes:
    """Return the 32 bytes of a channel that goes through an oblivious relay: of the key that requests are sealed to.

    Raises
    ------
    ForgeryError
        It is no key configuration (RFC 9458).
    """
    return hashlib.sha256(b"ohttp-key-config:" + KeyConfig.decode(encoded).encode()).digest()


def end_point(certificate: bytes) -> bytes:
    """Return the 32 bytes of a channel to whoever has this certificate.

    Parameters
    ----------
    certificate
        In DER, as it travels.

    Raises
    ------
    ParameterError
        No certificate, or signed in a way for which the RFC defines no binding.
    """
    with needs("town"):
        from cryptography import x509

    try:
        algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except ValueError:
        raise ParameterError("a channel is bound to a certificate, and these bytes are none") from None
    if algorithm is None:
        raise ParameterError("a channel cannot be bound to a certificate whose signature names no hash (Ed25519)")
    name = "sha256" if algorithm.name in _WEAK else algorithm.name
    return hashlib.sha256(b"tls-server-end-point:" + hashlib.new(name, certificate).digest()).digest()
