"""Frames: exact sizes, and every spoilt frame beside its accepted twin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.frames import HEADER_BYTES, Kind, pack, unpack


@given(body=st.binary(max_size=64), kind=st.sampled_from(Kind), code=st.integers(0, 255))
def test_a_frame_returns_its_body(body, kind, code):
    assert unpack(pack(kind, code, body), kind, code, len(body)) == body


@given(where=st.integers(0, HEADER_BYTES - 1), flip=st.integers(1, 255))
def test_any_other_header_is_refused(where, flip):
    frame = bytearray(pack(Kind.REPLY, 2, b"body"))
    assert unpack(bytes(frame), Kind.REPLY, 2, 4) == b"body"
    frame[where] ^= flip
    with pytest.raises(ForgeryError, match="its header is not that of this version"):
        unpack(bytes(frame), Kind.REPLY, 2, 4)


@pytest.mark.parametrize("cut", [0, 1, HEADER_BYTES, HEADER_BYTES + 3])
def test_a_truncated_frame_is_refused(cut):
    with pytest.raises(ForgeryError, match=f"it has {cut} bytes, not {HEADER_BYTES + 4}"):
        unpack(pack(Kind.REPLY, 2, b"body")[:cut], Kind.REPLY, 2, 4)


def test_a_longer_frame_is_refused():
    with pytest.raises(ForgeryError, match=f"it has {HEADER_BYTES + 5} bytes, not"):
        unpack(pack(Kind.REPLY, 2, b"body") + b"!", Kind.REPLY, 2, 4)
    with pytest.raises(ForgeryError, match="it is not bytes"):
        unpack("BLSC", Kind.REPLY, 2, 4)
