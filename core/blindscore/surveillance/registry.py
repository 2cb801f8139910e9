"""Find capabilities: those of this package, and others through the entry-point group ``blindscore.capabilities``."""

from __future__ import annotations

from importlib.metadata import entry_points

from blindscore.surveillance.disclose import Disclose
from blindscore.surveillance.intercept import Intercept
from blindscore.surveillance.link import Link
from blindscore.surveillance.map import Map
from blindscore.surveillance.profile import Profile
from blindscore.surveillance.remember import Remember
from blindscore.surveillance.repeat import Repeat
from blindscore.surveillance.scene import Capability
from blindscore.surveillance.steer import Steer
from blindscore.surveillance.track import Track

GROUP = "blindscore.capabilities"
OWN: tuple[type[Capability], ...] = (Profile, Link, Map, Track, Steer, Intercept, Disclose, Remember, Repeat)


def load_capabilities() -> list[Capability]:
    """Return every capability, this package's first."""
    return [make() for make in OWN] + [point.load()() for point in entry_points(group=GROUP)]
