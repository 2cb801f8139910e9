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
from blindscore_app.town.board import EXPERIMENT
from blindscore_app.town.folders import RELAY, WALLETS, folder_of
from blindscore_app.town.order import places, seize
from blindscore_app.town.patient_wallet import PatientWallet
from blindscore_app.town.playing import tell
from blindscore_app.town.posting import Posting
from blindscore_app.town.running import LOG, LONGEST, running
from blindscore_app.town.show import own, sentences
from blindscore_app.town.show.rows import seized_rows
from blindscore_app.town.show.watching import SHOWN_LAST, Exchange, Heard, LogTail, Watched, dump, latest
from blindscore_app.town.show.wire import Wire
from blindscore_app.town.standing import Town

PATIENCE_S = 60.0  # beyond the deadline, until which a decision is asked for again
PAUSE_S = 0.25
SHOWN_ROWS = 3  # of each table of whoever stands beside the lender
BESIDE = ("helper", "auditor")  # roles that help a lender or look after it
APPLICATION = (
    ("ask", "commit", "answer", "fetch"),
    ("application", "bound", "opening", "fetch"),
)  # kinds; 1: letterboxes


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
        self._lines: dict[int, tuple[own.Owned, Watched]] = {}
        self._opening = threading.Lock()
        roles = self.town.roles
        self._tails = {name: LogTail(folder_of(self.town.folder, name) / LOG) for name in roles}
        self.source = next(name for name, role in roles.items() if role == "source")
        self.lender = str(self.town.public["lender"])
        self.third = next((name for name, role in roles.items() if role in BESIDE), "")
        self._heard = {name: Heard(LogTail(tail.path)) for name, tail in self._tails.items()}
        self._application = APPLICATION[isinstance(self._wallet(0)[0], PatientWallet)]

    @property
    def people(self) -> list[str]:
        """Legal ids, by number of the wallet."""
        return list(self.known)

    @property
    def busy(self) -> bool:
        """Whether somebody is acting."""
        return self._acting.locked()

    def _wallet(self, person: int) -> tuple[own.Owned, Watched]:
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
            if not own.noted(wallet):
                self._tell(wallet, lines, "apply")
            time.sleep(float(self.town.public["delay_s"]))
            due = time.monotonic() + PATIENCE_S
            while wallet.verdict() is None and time.monotonic() < due:
                self._tell(wallet, lines, "collect")
                time.sleep(PAUSE_S)
            if wallet.verdict() is None:
                raise DataError(f"{self.lender} has not decided in {PATIENCE_S:g} s; press apply again to ask for it")

    @staticmethod
    def _tell(wallet: own.Owned, lines: Watched, command: str) -> None:
        before = len(wallet.troubles())
        tell(wallet, lines, command)
        fresh = wallet.troubles()[before:]
        if fresh:
            raise DataError(f"the wallet refused what it was sent: {fresh[0]}")

    def what_if(self, person: int, feature: str, bin_index: int) -> int:
        """Return the score if one feature fell into another bin; the wallet counts it and nobody is asked."""
        return own.what_if(self._wallet(person)[0], feature, bin_index)

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
        others = [name for name, role in self.town.roles.items() if role in (*BESIDE, "source", "log")]
        return [self.lender, *others, WALLETS]

    # What the windows show

    def shown(self, person: int) -> dict[str, Any]:
        """Return what the windows show."""
        wallet, _ = self._wallet(person)
        return {
            "person": person,
            "busy": self.busy,
            "wallet": {"legal_id": self.people[person], **own.shown(wallet)},
            "bank": self._of_bank(),
            "lender": self._of_lender(),
            "third": self._of_third(),
            "state": self._of_state(),
        }

    def _of_bank(self) -> dict[str, Any]:
        found = seize(folder_of(self.town.folder, self.source), self.known)
        mine = [one for one in tuple(self.exchanges) if one.to == self.source]
        logins = list(dict.fromkeys(one.login for one in mine if one.login))
        applied = sum(one.kind in self._application for one in mine)
        said = sentences.bank(found, len(self.known), logins, applied)
        return {"said": said, "received": latest(mine)}

    def _of_lender(self) -> dict[str, Any]:
        found = places(folder_of(self.town.folder, self.lender))
        said = sentences.lender(found, self.known, str(self.town.public["design"]))
        return {"said": said, "received": latest(self._received(self.lender))}

    def _of_third(self) -> dict[str, Any] | None:
        """Return the window of whoever stands beside the lender; None where nobody does."""
        if not self.third:
            return None
        folder, received = folder_of(self.town.folder, self.third), self._received(self.third)
        said = sentences.third(self.town.roles[self.third], places(folder), self.known, received)
        kept = [asdict(rows) for rows in seized_rows(folder, self.known, one_person=False, shown=SHOWN_ROWS)]
        return {"name": self.third, "said": said, "received": latest(received), "kept": kept}

    def _received(self, name: str) -> list[Exchange]:
        return self._heard[name].with_bodies([one for one in tuple(self.exchanges) if one.to == name])

    def _of_state(self) -> dict[str, Any]:
        seen = sorted(self.wire.seen(), key=lambda one: one.at)
        passed = self.wire.content()
        named = sum(who.encode() in passed for who in self.known)
        said = sentences.state(
            len(seen), sum(one.up for one in seen), sum(one.down for one in seen), named, len(self.known)
        )
        wire = [
            {"to": s.to, "packets": s.packets, "up": s.up, "down": s.down, "content": dump(s.largest)}
            for s in reversed(seen[-SHOWN_LAST:])
        ]
        return {"said": said, "wire": wire}

    def close(self) -> None:
        """Close wallets and taps."""
        for wallet, lines in self._lines.values():
            lines.close()
            close_store(wallet.store)
        self.wire.close()


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
    spoken_to = [name for name, role in town.roles.items() if role not in town.part.closed]
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
