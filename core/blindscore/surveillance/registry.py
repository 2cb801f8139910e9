"""Find capabilities: those of this package, and others through the entry-point group ``blindscore.capabilities``."""

from __future__ import annotations

from importlib.metadata import entry_points

from blindscore.surveillance.disclose import Disclose
from blindscore.surveillance.link import Link
from blindscore.surveillance.profile import Profile
from blindscore.surveillance.scene import Capability
from blindscore.surveillance.steer import Steer

GROUP = "blindscore.capabilities"
OWN: tuple[type[Capability], ...] = (Profile, Link, Steer, Disclose)


def load_capabilities() -> list[Capability]:
    """Return every capability, this package's first."""
    return [make() for make in OWN] + [point.load()() for point in entry_points(group=GROUP)]
