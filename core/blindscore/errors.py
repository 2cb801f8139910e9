"""The one family of errors that a user's mistake, or hostile bytes, can raise.

A message says what was wrong, where (file, row, column) and what to do, and never repeats a secret value.
Everything else that escapes the package is a defect of the package.
"""

from __future__ import annotations


class BlindscoreError(Exception):
    """Base of every error that the package raises on purpose."""


class DataError(BlindscoreError, ValueError):
    """People, files or columns that cannot be used as they are."""


class SchemaError(BlindscoreError, ValueError):
    """A schema file that is malformed or does not fit its data."""


class CardError(BlindscoreError, ValueError):
    """A scorecard that is malformed, inconsistent, or not the one its fingerprint names."""


class ScorecardWarning(UserWarning):
    """A fit that goes through, but not as its user may think."""


class ForgeryError(BlindscoreError, ValueError):
    """Bytes from outside that are malformed, tampered with, replayed, or not signed by whom they name."""


class ParameterError(BlindscoreError, ValueError):
    """A setting outside what is safe or meaningful (security level, epsilon, threshold, ...)."""


class ContractError(BlindscoreError, AssertionError):
    """A design that does not keep the contract that all designs keep."""


class MissingExtraError(BlindscoreError, ImportError):
    """A library that only some work needs is not installed; the message names the extra that installs it."""
