"""A package to begin with: a design, an attack, or a dataset that works as it is written and is meant to be changed."""

from __future__ import annotations

import keyword
import re
from enum import StrEnum

from blindscore.errors import ParameterError

NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
PEOPLE = 400  # made-up rows of a dataset


class What(StrEnum):
    """What can be begun."""

    DESIGN = "design"
    ATTACK = "attack"
    DATASET = "dataset"


def files_of(what: What, name: str) -> dict[str, bytes]:
    """Return the files of a new package by name; the same name gives the same files.

    Raises
    ------
    ParameterError
        The name cannot be one of a package, or a design or an attack of ours has it.
    """
    module = name.replace("-", "_")
    if not NAME.fullmatch(name) or name.endswith("-") or keyword.iskeyword(module):
        raise ParameterError(f"--name {name[:40]!r}: give lower-case letters, digits and hyphens, a letter first")
    if name in _taken(what):
        raise ParameterError(f"{what.value} {name!r} is there already; give it another name")
    words = {"name": name, "module": module, "kind": "".join(map(str.capitalize, name.split("-"))), "what": what.value}
    made = {"README.md": "README.md.j2", f"test_{module}.py": f"{what.value}/test.py.j2"}
    if what is What.DATASET:
        made[f"{name}.toml"] = "dataset/schema.toml.j2"
    else:
        words["group"] = {What.DESIGN: "designs", What.ATTACK: "capabilities"}[what]
        made |= {f"{module}.py": f"{what.value}/module.py.j2", "pyproject.toml": "pyproject.toml.j2"}
    files = {file: render(template, words) for file, template in made.items()}
    return files if what is not What.DATASET else files | {f"{name}.csv": _made_up()}


def render(template: str, words: dict[str, str]) -> bytes:
    """Return a template of this package with its words put in."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # source code and plain text: nothing to escape
        loader=PackageLoader("blindscore_app.entry"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(template).render(words).encode()


def _taken(what: What) -> set[str]:
    from blindscore.designs.registry import load_designs
    from blindscore.surveillance.attacks.registry import load_capabilities

    if what is What.DESIGN:
        return set(load_designs("all"))
    return {one.name for one in load_capabilities()} if what is What.ATTACK else set()


def _made_up() -> bytes:
    """Return made-up people as CSV: who is often in arrears, or buys a car, pays late more often."""
    import numpy as np

    rng = np.random.default_rng(7)
    late, purpose = rng.poisson(1.0, PEOPLE), rng.choice(["car", "home"], PEOPLE)
    income, sex, area = rng.normal(2000, 500, PEOPLE), rng.choice(["f", "m"], PEOPLE), rng.integers(0, 20, PEOPLE)
    bad = rng.random(PEOPLE) < 0.05 + 0.12 * np.minimum(late, 4) + 0.2 * (purpose == "car")
    lines = ["income,months_late,purpose,sex,area,late"]
    lines += [
        f"{income[k]:.2f},{late[k]},{purpose[k]},{sex[k]},{area[k]},{'yes' if bad[k] else 'no'}" for k in range(PEOPLE)
    ]
    return ("\n".join(lines) + "\n").encode()
