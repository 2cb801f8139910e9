"""Logged keys: a wallet holds the keys that it seals to, as the public file gives them, to the witnessed log.

::

    public file --a key configuration a name--> wallet
    wallet --relay: the entries of all names, the log among them--> log     sealed to the file's own key of the log
           <--entries, in list and map, under a head that witnesses cosigned--

The first request goes out under a key that nobody has vouched for yet, the log's; its answer vouches for that one with
the others, and until then nothing else is sealed. It asks what every wallet asks, so it says nothing of its person.

Who sees what: whoever gave one person another key of the log, and holds its secret, sees that this person asks, once;
the answer convicts the file, and nothing follows. Assumptions: those of :mod:`blindscore_crypto.sealed.log`. Not
protected: a person who is given other keys of log and witnesses too; what a wallet trusts it is told once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from blindscore.errors import ForgeryError
from blindscore.parties.party import Clock, wall_clock
from blindscore.parties.store import Field, Store, TableSpec
from blindscore_crypto.channel.ohttp import KeyConfig
from blindscore_crypto.sealed.log.entries import Kind, SealingKey, sealing_key_key
from blindscore_crypto.sealed.log.head import Trust
from blindscore_crypto.sealed.log.lookup import Watcher

CHECKED = TableSpec("checked keys", Field("of", "own"), (Field("time", "own"),))


@dataclass
class LoggedKeys:
    """What a wallet checks keys with, and remembers that it did.

    Parameters
    ----------
    epoch
        Its number: the log holds one key a name and epoch.
    store
        The wallet's.
    log
        Name by which the log is reached.
    """

    trust: Trust
    epoch: int
    store: Store
    clock: Clock = wall_clock
    log: str = "log"

    def __post_init__(self) -> None:
        self.store.declare(CHECKED)
        self._held = b""  # what was checked last

    def require(self, configs: Mapping[str, KeyConfig], look: Callable[[bytes], bytes]) -> None:
        """Return if every key is the one that the log holds for its name; those that were checked are not asked about.

        Parameters
        ----------
        look
            Carries a question to the log and brings its answer.

        Raises
        ------
        ForgeryError
            A key is another one, the log has none for a name, or what it says does not hold.
        """
        of = self._digest(configs)
        if of == self._held or self.store.get(CHECKED.name, of) is not None:
            self._held = of
            return
        names = sorted(configs)
        keys, watcher = [sealing_key_key(name, self.epoch) for name in names], Watcher(self.trust, self.store)
        found = watcher.read(keys, look(watcher.ask(keys)), self.clock())
        for name, entry in zip(names, found, strict=True):
            logged = None if entry is None or entry.kind != Kind.SEALING_KEY else SealingKey.decode(entry.body)
            if logged is None or logged.config != configs[name]:
                raise ForgeryError(
                    f"the key that this town's file gives for {name} is not the one in the witnessed log: it could "
                    "mark its holder, so nothing is sent; get the file that everybody has"
                )
        self.store.put(CHECKED.name, of, {"time": int(self.clock())})
        self._held = of

    def _digest(self, configs: Mapping[str, KeyConfig]) -> bytes:
        keys = (SealingKey(name, self.epoch, configs[name]).encode() for name in sorted(configs))
        return hashlib.sha256(b"blindscore/checked-keys/v1" + b"".join(keys)).digest()
