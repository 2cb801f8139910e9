"""Stub until the reshaped view lands."""

from typing import Literal

Kind = Literal["feature", "register", "score", "total", "decision", "handle", "wire", "time"]
