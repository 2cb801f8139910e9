"""FileBudget: the account of a group of people, kept in a file and charged by any number of processes.

Who sees what: the file holds what was released, which is public; no person's data. Assumption: everybody who fits on
these people charges this file; deleting or replacing it forgets, and nothing here can prevent that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blindscore.errors import ParameterError
from blindscore.parties.sqlite_store import SqliteStore
from blindscore.parties.store import Field, TableSpec
from blindscore_crypto.private_model.accounting import Budget, Release, check_cost

_FIELDS = ("what", "sensitivity", "sigma", "steps", "sampling", "noise")
_RELEASES = TableSpec("releases", Field("serial", "own"), tuple(Field(name, "own") for name in _FIELDS))
_GRANTED = TableSpec("granted", Field("name", "own"), (Field("epsilon", "own"), Field("delta", "own")))


class FileBudget(Budget):
    """A :class:`~.accounting.Budget` whose record lies in a file: it outlives the process, and processes share it.

    Parameters
    ----------
    path
        The file; made if it is not there.
    epsilon, delta
        What is granted. A file that exists was granted the same, or is refused.

    Raises
    ------
    ParameterError
        epsilon or delta out of range, or not what the file was granted.
    DataError
        The file cannot be opened or is no account.
    """

    def __init__(self, path: Path | str, epsilon: float, delta: float) -> None:
        super().__init__(epsilon, delta)
        self.path = str(path)
        self._store = SqliteStore(self.path, _RELEASES, _GRANTED)
        before = self._store.insert_once("granted", b"all", {"epsilon": epsilon, "delta": delta})
        if before is not None and (before["epsilon"], before["delta"]) != (epsilon, delta):
            raise ParameterError(
                f"{path}: this account was granted epsilon {before['epsilon']!r} and delta {before['delta']!r}, "
                f"not {epsilon} and {delta}; open it with what was granted"
            )

    @property
    def record(self) -> tuple[Release, ...]:
        """What was released so far, by anybody who charged this file."""
        return tuple(Release(**row) for _, row in self._store.items("releases"))  # type: ignore[arg-type]

    def spend(self, release: Release) -> None:
        """Enter a release before it is made; see :meth:`.accounting.Budget.spend`."""
        with self._store.atomic():
            record = self.record
            check_cost(record, release, self.epsilon, self.delta)
            row = {name: getattr(release, name) for name in _FIELDS}
            self._store.put("releases", len(record).to_bytes(8, "big"), row)

    def __reduce__(self) -> Any:
        """Travel as a path: the other process opens the same file."""
        return FileBudget, (self.path, self.epsilon, self.delta)

    def close(self) -> None:
        """Close the file."""
        self._store.close()
