"""Parameters of designs: a design is a curve, not a dot, and its fields are the knobs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from blindscore.designs.design import Design
from blindscore.errors import ParameterError

TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def settings_of(design: Design) -> dict[str, Any]:
    """Return a design's parameters by name, in the order of its fields: those that hold one plain value, or None.

    A field that takes no part in comparisons (a modelled design's name, say) is no parameter.
    """
    if not is_dataclass(design) or isinstance(design, type):
        return {}
    held = {f.name: getattr(design, f.name) for f in fields(design) if f.compare}
    return {name: value for name, value in held.items() if value is None or isinstance(value, bool | int | float | str)}


def with_settings(designs: Iterable[Design], settings: Iterable[str]) -> list[Design]:
    """Return the designs with parameters set as ``"design.parameter=value"`` says; later settings win.

    Raises
    ------
    ParameterError
        A setting is of another form, names no design of these or no parameter of its design, or gives a value of
        another kind than the default's, or one that the design refuses.
    """
    by_name = {design.name: design for design in designs}
    for setting in settings:
        target, equals, value = setting.partition("=")
        name, dot, parameter = target.strip().partition(".")
        if not (equals and dot):
            raise ParameterError(f"{setting!r} is no setting; write design.parameter=value")
        if name not in by_name:
            raise ParameterError(f"{setting!r}: this run has no design {name!r}; it has {', '.join(by_name)}")
        known = settings_of(by_name[name])
        if parameter not in known:
            raise ParameterError(f"{setting!r}: {name} has no parameter {parameter!r}; it has {', '.join(known)}")
        changed: Any = by_name[name]
        by_name[name] = replace(changed, **{parameter: _parsed(setting, value.strip(), known[parameter])})
    return list(by_name.values())


def sampled(design: Design, runs: int) -> Design:
    """Return the design set to so many real protocol runs, where it has any."""
    return cast(Design, replace(cast(Any, design), sample=runs)) if "sample" in settings_of(design) else design


def restored(design: Design, parameters: Mapping[str, Any]) -> Design:
    """Return the design with the settings that a ledger states for it.

    Raises
    ------
    ParameterError
        A value is of another kind than the design's own.
    """
    own = {name: parameters[name] for name in settings_of(design) if name in parameters}
    try:
        return cast(Design, replace(cast(Any, design), **own)) if own else design
    except TypeError as error:
        raise ParameterError(f"{design.name}: its settings in the ledger do not fit it ({error})") from error


def check_ranges(design: Design, **ranges: tuple[float, float]) -> None:
    """Return if the named parameters lie in their ranges, ends included.

    Raises
    ------
    ParameterError
        One does not.
    """
    for name, (low, high) in ranges.items():
        value = getattr(design, name)
        if not low <= value <= high:
            raise ParameterError(f"{design.name}: {name} must lie between {low:g} and {high:g}, got {value:g}")


def _parsed(setting: str, value: str, default: Any) -> Any:
    """Return a value of the default's kind; a default of None may be set to a number."""
    if isinstance(default, bool):
        if value.lower() not in TRUTH:
            raise ParameterError(f"{setting!r}: give true or false")
        return TRUTH[value.lower()]
    if isinstance(default, str):
        return value
    whole = isinstance(default, int)
    try:
        number = int(value) if whole else float(value)
    except ValueError as error:
        raise ParameterError(f"{setting!r}: give a {'whole ' if whole else ''}number") from error
    if not math.isfinite(number):
        raise ParameterError(f"{setting!r}: give a finite number")
    return number
