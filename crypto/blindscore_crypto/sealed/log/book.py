"""Book: the log's entries with its list and its map, and the rules by which an entry is admitted.

Keeper, witness and monitor apply these rules alike, so that a keeper who bends them finds no witness. Who sees what:
all is public. Assumptions: those of :mod:`.tree`, :mod:`.keymap` and Ed25519.
"""

from __future__ import annotations

from blindscore.errors import ForgeryError
from blindscore_crypto.channel.signatures import VerifyingKey
from blindscore_crypto.sealed.log.entries import BY_REGISTRAR, MAY_LOG, Entry, Kind, Member, epoch_key_key, proved_terms
from blindscore_crypto.sealed.log.keymap import KeyMap
from blindscore_crypto.sealed.log.tree import Tree, leaf_hash
from blindscore_crypto.sealed.terms import Terms


class Book:
    """Entries in order. One entry a key; all that is in it was admitted by the rules."""

    def __init__(self, registrar: VerifyingKey) -> None:
        self._registrar = registrar
        self._index: dict[bytes, int] = {}  # map key -> index of its entry
        self._members: dict[bytes, Member] = {}  # by raw key
        self.entries: list[bytes] = []
        self.tree, self.map = Tree(), KeyMap()

    def append(self, data: bytes) -> int:
        """Admit an entry; return its index.

        Raises
        ------
        ForgeryError
            Malformed, not signed by who may say it, or one of its keys is taken.
        """
        entry = self.admitted(data)
        keys = entry.keys()
        index = self.tree.append(data)
        self.entries.append(data)
        for key in keys:
            self._index[key] = index
            self.map.insert(key, leaf_hash(data))
        if entry.kind == Kind.MEMBER:
            member = Member.decode(entry.body)
            self._members[member.key.raw] = member
        return index

    def admitted(self, data: bytes) -> Entry:
        """Return what an entry says, if the rules admit it; raises as :meth:`append`, and adds nothing."""
        entry = Entry.decode(data)
        self._check(entry)
        keys = entry.keys()
        taken = [key for key in keys if key in self._index]
        if taken:
            raise ForgeryError(
                f"the log holds another {entry.kind.name.lower().replace('_', ' ')} under this key, "
                f"entry {self._index[taken[0]]}; there is one at most"
            )
        return entry

    def find(self, key: bytes) -> int | None:
        """Return the index of the entry that stands under a key."""
        return self._index.get(key)

    def _check(self, entry: Entry) -> None:
        if entry.kind in BY_REGISTRAR:
            if entry.issuer != self._registrar:
                raise ForgeryError("members, and keys to seal to, are admitted by the registrar alone")
            return
        member = self._members.get(entry.issuer.raw)
        if member is None or entry.kind not in MAY_LOG[member.role]:
            raise ForgeryError("the issuer is no member, or of a role that does not log this")
        if entry.kind == Kind.TERMS:
            self._check_terms(Terms.decode(entry.body), member)
        if entry.kind == Kind.PROVED_TERMS:
            proved = proved_terms(entry.body)
            _require_own(proved.lender, proved.signs, member)

    def _check_terms(self, terms: Terms, member: Member) -> None:
        _require_own(terms.lender, terms.lender_key, member)
        for source in terms.sources:
            known = self._members.get(source.key.raw)
            if known is None or (known.name, known.role) != (source.name, "source"):
                raise ForgeryError(f"terms name a source {source.name!r} that is no member under this key")
            if source.blind is not None:
                found = self.find(epoch_key_key(source.key, source.layout.fingerprint, terms.epoch))
                if found is None or Entry.decode(self.entries[found]).body != source.blind.signed:
                    raise ForgeryError(f"the epoch key of {source.name!r} is not the one that the log holds")


def _require_own(lender: str, key: VerifyingKey, member: Member) -> None:
    if (lender, key) != (member.name, member.key):
        raise ForgeryError("terms are logged by the lender whom they name, under its own name and key")
