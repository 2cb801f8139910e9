"""Kept: a campaign's exchanges as one ``.npz`` file, read without unpickling anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from blindscore.errors import DataError
from blindscore_app.town.wire.defence import DEFENCES, Defence
from blindscore_app.town.wire.exchange import Campaign, Exchange

COLUMNS = ("pair", "half", "person", "approved")


def keep(path: Path, campaign: Campaign) -> None:
    """Write a campaign."""
    every = campaign.exchanges
    traces = [trace for one in every for trace in one.traces]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        packets=np.concatenate(traces) if traces else np.zeros((0, 2)),
        lengths=np.array([[len(trace) for trace in one.traces] for one in every], np.int64),
        reason=np.array([one.reason for one in every], np.str_),
        house=np.array([one.house for one in every], np.str_),
        what=np.array([campaign.design, campaign.defence.name, campaign.link, str(campaign.at_once)], np.str_),
        cost=np.array([campaign.seconds, campaign.service_seconds, campaign.wrong, campaign.load]),
        exchange=np.array([[getattr(one, name) for name in COLUMNS] for one in every], np.int64),
    )


def load(paths: Sequence[Path], *, pool: bool = False) -> Campaign:
    """Return the slices of one campaign, one after another.

    Parameters
    ----------
    pool
        Take slices that differ in how many lines were open at once for one campaign.

    Raises
    ------
    DataError
        A file is no campaign, or the files are not of one.
    """
    found: list[Campaign] = []
    for path in paths:
        try:
            with np.load(path, allow_pickle=False) as file:
                design, defence, link, at_once = map(str, file["what"])
                seconds, service, wrong, machine = map(float, file["cost"])
                made = Campaign(design, DEFENCES.get(defence, Defence(defence)), link, int(at_once))
                made.seconds, made.service_seconds, made.wrong = seconds, service, int(wrong)
                made.load = machine
                lengths, packets = file["lengths"], file["packets"]
                ends = np.cumsum(lengths.ravel()).reshape(lengths.shape)
                columns, reasons = file["exchange"].reshape(-1, len(COLUMNS)), file["reason"]
                houses = file["house"] if "house" in file else np.full(len(reasons), "")
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path}: no campaign of the wire: {error}") from None
        for i, (own, until) in enumerate(zip(lengths, ends, strict=True)):
            traces = tuple(packets[e - n : e] for n, e in zip(own, until, strict=True))
            pair, half, person, approved = map(int, columns[i])
            made.exchanges.append(Exchange(pair, half, person, bool(approved), str(reasons[i]), traces, str(houses[i])))
        found.append(made)
    kinds = {(c.design, c.defence.name, c.link, 0 if pool else c.at_once) for c in found}
    if len(kinds) != 1:
        raise DataError("these files are slices of more than one campaign, or of none")
    whole = found[0]
    whole.lines = " or ".join(map(str, sorted({c.at_once for c in found})))
    whole.load = float(np.average([c.load for c in found], weights=[1 + len(c.exchanges) for c in found]))
    for more in found[1:]:
        last = 1 + max((one.pair for one in whole.exchanges), default=-1)
        whole.exchanges += [replace(one, pair=one.pair + last) for one in more.exchanges]
        whole.seconds += more.seconds
        whole.service_seconds += more.service_seconds
        whole.wrong += more.wrong
    return whole
