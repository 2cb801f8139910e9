"""A frontier's designs as tasks: each is measured by itself and leaves its finished parts in the cache.

The ledger is then put together by the ordinary :func:`~blindscore.surveillance.frontier.measure`, which finds each part
in the cache and measures again whatever is missing there: what a cluster did changes the time and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from blindscore.surveillance.cache import code_fingerprint
from blindscore_app.scale.tasks import Task

if TYPE_CHECKING:
    from blindscore.designs.design import Design
    from blindscore.people.population import Population
    from blindscore.people.society import Kind
    from blindscore.surveillance.capability import Capability


def design_tasks(
    people: int, seed: int, kind: Kind, designs: Sequence[Design], capabilities: Sequence[Capability], cache: Path
) -> list[Task]:
    """Return one task a design over a society of so many people; ``cache`` must be reachable by every worker."""
    cache = cache.absolute()
    tasks = []
    for design in designs:
        own = code_fingerprint(type(design).__module__.partition(".")[0])
        told = (
            f"{code_fingerprint('blindscore')}|{own}|{people}|{seed}|{kind}|{design!r}|{list(map(repr, capabilities))}"
        )
        recipe = hashlib.sha256(b"blindscore/frontier/v1" + told.encode()).hexdigest()
        work = partial(_work, people, seed, kind, design, tuple(capabilities), cache)
        tasks.append(Task(design.name, cache / "designs" / f"{design.name}.json", recipe, (), work))
    return tasks


@lru_cache(maxsize=1)
def _society(people: int, seed: int, kind: Kind) -> Population:
    """Make the people once a worker: cheaper than sending them."""
    from blindscore.people.society import make_society

    return make_society(people=people, seed=seed, kind=kind)


def _work(
    people: int,
    seed: int,
    kind: Kind,
    design: Design,
    capabilities: tuple[Capability, ...],
    cache: Path,
    temporary: Path,
) -> Mapping[str, int]:
    from blindscore.scorecard.scorecard import Scorecard
    from blindscore.surveillance.cache import Cache
    from blindscore.surveillance.frontier import measure

    ledger = measure(
        _society(people, seed, kind),
        [design],
        Scorecard(),
        seed=seed,
        command=f"one task of a frontier over {people} people, seed {seed}",
        capabilities=capabilities,
        cache=Cache(cache),
    )
    temporary.write_text(ledger.to_json(), encoding="utf-8")
    return {"rows": len(ledger.rows)}
