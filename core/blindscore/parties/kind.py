"""Kind: what a column says of a person. Apart from views, so that a party's store loads no tables' library."""

from __future__ import annotations

from typing import Literal

# feature: what is known of a person's life; register: what the public register says; score: on the card's scale;
# total: points before they are clipped to it; decision: approved or refused; handle: a join key, no value (a legal id,
# a pseudonym, a commitment); wire: sizes of messages; time: when something happened.
Kind = Literal["feature", "register", "score", "total", "decision", "handle", "wire", "time"]
