"""Stage: one running town, the wallets of its people, and what was seen while they were told to fetch and apply."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from blindscore.errors import DataError, ParameterError
from blindscore.parties.store import close_store
from blindscore.scorecard.binning import bin_labels
from blindscore_app.town.board import EXPERIMENT
from blindscore_app.town.folders import RELAY, WALLETS, folder_of
from blindscore_app.town.order import seize
from blindscore_app.town.playing import tell
from blindscore_app.town.posting import Posting
from blindscore_app.town.running import LOG, LONGEST, running
from blindscore_app.town.show import sentences
from blindscore_app.town.show.rows import seized_rows
from blindscore_app.town.show.watching import Exchange, LogTail, Watched
from blindscore_app.town.show.wire import Wire
from blindscore_app.town.standing import Town
from blindscore_crypto.sealed.parties.wallet import Wallet

PATIENCE_S = 60.0  # beyond the deadline, until which a decision is asked for again
PAUSE_S = 0.25
SHOWN_BYTES = 96  # of a body or a packet
SHOWN_LAST = 12  # exchanges and connections in a window
APPLICATION = ("ask", "commit", "answer", "fetch")


@dataclass
class Stage:
    """A town that is up, watched.

    Parameters
    ----------
    wire
        The taps through which wallets speak.
    known
        Legal id -> figures of everybody: by them it is counted who is exposed.
    """

    town: Town
    wire: Wire
    known: dict[str, dict[str, float]]
    exchanges: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._acting = threading.Lock()  # one person acts at a time, so that what arrives is that person's
        self._lines: dict[int, tuple[Wallet, Watched]] = {}
        self._opening = threading.Lock()
        roles = self.town.roles
        self._tails = {name: LogTail(folder_of(self.town.folder, name) / LOG) for name in roles}
        self.source = next(name for name, role in roles.items() if role == "source")
        self.lender = str(self.town.public["lender"])

    @property
    def people(self) -> list[str]:
        """Legal ids, by number of the wallet."""
        return list(self.known)

    @property
    def busy(self) -> bool:
        """Whether somebody is acting."""
        return self._acting.locked()

    def _wallet(self, person: int) -> tuple[Wallet, Watched]:
        if not 0 <= person < len(self.known):
            raise ParameterError(f"there is no person {person}; there are 0 to {len(self.known) - 1}")
        with self._opening:
            if person not in self._lines:
                wallet, watched = self.town.wallet_on(person, Watched, self.wire.addresses)
                watched.login, watched.tails, watched.note = self.people[person], self._tails, self.exchanges.append
                self._lines[person] = wallet, watched
            return self._lines[person]

    # What the person does

    def fetch(self, person: int) -> None:
        """Have the sources sign the person's figures.

        Raises
        ------
        DataError
            A party does not answer, or refuses.
        """
        wallet, lines = self._wallet(person)
        with self._acting:
            self._tell(wallet, lines, "learn")

    def apply(self, person: int) -> None:
        """Fetch what is missing, apply, wait for the lender's deadline, and collect the answer.

        Raises
        ------
        DataError
            A party does not answer, or refuses; or the person has applied in this epoch.
        """
        wallet, lines = self._wallet(person)
        with self._acting:
            papers = wallet.application()
            if papers is not None and papers["decision"]:
                raise DataError(
                    "this person was answered in this epoch; a wallet applies once, so choose another person"
                )
            if papers is None or not papers["receipt"]:
                self._tell(wallet, lines, "apply")
            time.sleep(float(self.town.public["delay_s"]))
            due = time.monotonic() + PATIENCE_S
            while wallet.verdict() is None and time.monotonic() < due:
                self._tell(wallet, lines, "collect")
                time.sleep(PAUSE_S)
            if wallet.verdict() is None:
                raise DataError(f"{self.lender} has not decided in {PATIENCE_S:g} s; press apply again to ask for it")

    @staticmethod
    def _tell(wallet: Wallet, lines: Watched, command: str) -> None:
        before = len(wallet.troubles())
        tell(wallet, lines, command)
        fresh = wallet.troubles()[before:]
        if fresh:
            raise DataError(f"the wallet refused what it was sent: {fresh[0]}")

    def what_if(self, person: int, feature: str, bin_index: int) -> int:
        """Return the score if one feature fell into another bin; the wallet counts it and nobody is asked."""
        return self._wallet(person)[0].what_if(feature, bin_index)

    def order(self, on: str, person: int | None) -> dict[str, Any]:
        """Serve an order on a party's files, for everybody or one person.

        Raises
        ------
        ParameterError
            No such party.
        """
        if on not in self.town.roles and on != WALLETS:
            raise ParameterError(f"no party of this town is called {on[:40]!r}; there are {', '.join(self.parties)}")
        folder = folder_of(self.town.folder, on)
        wanted = self.known
        if person is not None:
            self._wallet(person)
            who = self.people[person]
            wanted = {who: self.known[who]}
            folder = folder / str(person) if on == WALLETS else folder
        found = seize(folder, wanted)
        return {
            "said": sentences.order(on, found, len(wanted)),
            "tables": [asdict(rows) for rows in seized_rows(folder, wanted, one_person=person is not None)],
            "files": [{"file": one.place, "named": one.named, "read": one.read} for one in found if not one.rows],
        }

    @property
    def parties(self) -> list[str]:
        """On whom an order can be served: the lender first."""
        others = [name for name, role in self.town.roles.items() if role in ("source", "log")]
        return [self.lender, *others, WALLETS]

    # What the windows show

    def shown(self, person: int) -> dict[str, Any]:
        """Return what the four windows show."""
        return {
            "person": person,
            "busy": self.busy,
            "wallet": self._of_wallet(person),
            "bank": self._of_bank(),
            "lender": self._of_lender(),
            "state": self._of_state(),
        }

    def _of_wallet(self, person: int) -> dict[str, Any]:
        wallet, _ = self._wallet(person)
        shown: dict[str, Any] = {"legal_id": self.people[person], "score": None, "verdict": wallet.verdict()}
        try:
            bins, score = wallet.bins(), wallet.score()
        except DataError:  # nothing was signed yet
            return shown | {"said": sentences.wallet(None, None)}
        card = wallet.terms.card
        return shown | {
            "said": sentences.wallet(score, shown["verdict"]),
            "score": score,
            "threshold": wallet.terms.threshold,
            "reasons": [{"feature": r.feature, "bin": r.bin, "lost": r.lost} for r in wallet.reasons()],
            "features": [
                {"feature": c.feature, "bins": bin_labels(c), "own": bins[c.feature]} for c in card.characteristics
            ],
        }

    def _received(self, names: list[str]) -> list[dict[str, Any]]:
        last = [one for one in tuple(self.exchanges) if one.to in names][-SHOWN_LAST:]
        return [_plain(one) for one in reversed(last)]

    def _of_bank(self) -> dict[str, Any]:
        found = seize(folder_of(self.town.folder, self.source), self.known)
        own = [one for one in tuple(self.exchanges) if one.to == self.source]
        logins = list(dict.fromkeys(one.login for one in own if one.login))
        applied = sum(one.kind in APPLICATION for one in own)
        said = sentences.bank(found, len(self.known), logins, applied)
        return {"said": said, "received": self._received([self.source])}

    def _of_lender(self) -> dict[str, Any]:
        found = seize(folder_of(self.town.folder, self.lender), self.known)
        said = sentences.lender(found, len(self.known), str(self.town.public["design"]))
        return {"said": said, "received": self._received([self.lender])}

    def _of_state(self) -> dict[str, Any]:
        seen = sorted(self.wire.seen(), key=lambda one: one.at)
        passed = self.wire.content()
        named = sum(who.encode() in passed for who in self.known)
        said = sentences.state(
            len(seen), sum(one.up for one in seen), sum(one.down for one in seen), named, len(self.known)
        )
        wire = [
            {"to": s.to, "packets": s.packets, "up": s.up, "down": s.down, "content": _dump(s.largest)}
            for s in reversed(seen[-SHOWN_LAST:])
        ]
        return {"said": said, "wire": wire}

    def close(self) -> None:
        """Close wallets and taps."""
        for wallet, lines in self._lines.values():
            lines.close()
            close_store(wallet.store)
        self.wire.close()


def _plain(one: Exchange) -> dict[str, Any]:
    return {
        "at": time.strftime("%H:%M:%S", time.localtime(one.at)),
        "kind": one.kind,
        "login": one.login,
        "bytes": len(one.body),
        "answered": one.answered,
        "body": _dump(one.body),
        "logged": json.dumps(one.logged) if one.logged else "",
    }


def _dump(data: bytes) -> str:
    """Return the first bytes in hexadecimal, in groups of four."""
    more = " ..." if len(data) > SHOWN_BYTES else ""
    return data[:SHOWN_BYTES].hex(" ", -4) + more


@contextmanager
def staged(town: Town, passphrase: str = "") -> Iterator[Stage]:
    """Watch a town for as long as the block lasts.

    Parameters
    ----------
    passphrase
        Of its keys: then its parties are started; "" means that they are up already.

    Raises
    ------
    DataError
        The parties are not up, or it is not known who lives there.
    """
    if passphrase:
        with running(town, passphrase), _watched(town) as stage:
            yield stage
    else:
        with _watched(town) as stage:
            yield stage


@contextmanager
def _watched(town: Town) -> Iterator[Stage]:
    if RELAY in town.roles:
        raise DataError(
            f"what the lender of the town in {town.folder} receives is sealed, by a relay; found a town that can "
            "be watched with: blindscore town up --stay --no-relay"
        )
    path = town.folder / EXPERIMENT
    try:
        known = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise DataError(
            f"{path}: cannot be read, so nobody can be counted; found a town with: blindscore town up"
        ) from None
    spoken_to = [name for name, role in town.roles.items() if role not in ("witness", "relay")]
    addresses = town.addresses()
    _check_up(town, {name: addresses.get(name, "") for name in spoken_to})
    stage = Stage(town, Wire({name: addresses[name] for name in spoken_to}), known)
    try:
        yield stage
    finally:
        stage.close()


def _check_up(town: Town, addresses: dict[str, str]) -> None:
    context = town.identity(str(town.public["lender"])).anonymous_side()
    with closing(Posting(context, LONGEST, answer_s=5.0)) as posting:
        for name, address in addresses.items():
            try:
                answer = json.loads(posting.ask(address, "/health").body) if address else {}
            except (DataError, ValueError):
                answer = {}
            if answer.get("name") != name:
                raise DataError(
                    f"{name} of the town in {town.folder} is not up; start it with: blindscore town up --stay"
                )
