"""Own: what a wallet shows its person: score, reasons and what-if, where it has a card to count them by."""

from __future__ import annotations

from typing import Any

from blindscore.errors import DataError
from blindscore.scorecard.binning import bin_labels
from blindscore_app.town.patient_wallet import PatientWallet
from blindscore_app.town.show import sentences
from blindscore_crypto.sealed.parties.wallet import Wallet

Owned = Wallet | PatientWallet
SECRET_CARD = "The card is this lender's secret, so this wallet counts neither what costs points nor what-if."


def shown(wallet: Owned) -> dict[str, Any]:
    """Return what the wallet's window shows, in values that JSON has."""
    told: dict[str, Any] = {
        "score": None,
        "threshold": None,
        "verdict": wallet.verdict(),
        "fetched": False,
        "lacks": "",
    }
    if isinstance(wallet, PatientWallet):
        told |= {"score": wallet.score, "fetched": bool(wallet.answer()[0]), "lacks": SECRET_CARD}
        return told | {"said": sentences.blind_wallet(told["fetched"], wallet.score, told["verdict"])}
    try:
        bins, score = wallet.bins(), wallet.score()
    except DataError:  # nothing was signed yet
        return told | {"said": sentences.wallet(None, None)}
    return told | {
        "said": sentences.wallet(score, told["verdict"]),
        "fetched": True,
        "score": score,
        "threshold": wallet.terms.threshold,
        "reasons": [{"feature": r.feature, "bin": r.bin, "lost": r.lost} for r in wallet.reasons()],
        "features": [
            {"feature": c.feature, "bins": bin_labels(c), "own": bins[c.feature]}
            for c in wallet.terms.card.characteristics
        ],
    }


def what_if(wallet: Owned, feature: str, bin_index: int) -> int:
    """Return the score if one feature fell into another bin.

    Raises
    ------
    DataError
        There is no such feature or bin, or the wallet has no card to count by.
    """
    if isinstance(wallet, PatientWallet):
        raise DataError(SECRET_CARD)
    return wallet.what_if(feature, bin_index)


def noted(wallet: Owned) -> bool:
    """Say whether the lender has acknowledged an application, which is said once.

    Raises
    ------
    DataError
        The person was answered in this epoch.
    """
    if isinstance(wallet, PatientWallet):
        answered, acknowledged = wallet.verdict() is not None, False  # said again, it is answered as before
    else:
        papers = wallet.application() or {}
        answered, acknowledged = bool(papers.get("decision")), bool(papers.get("receipt"))
    if answered:
        raise DataError("this person was answered in this epoch; a wallet applies once, so choose another person")
    return acknowledged
