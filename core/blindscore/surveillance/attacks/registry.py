"""Find capabilities: those of this package, and others through the entry-point group ``blindscore.capabilities``."""

from __future__ import annotations

from importlib.metadata import entry_points

from blindscore.surveillance.attacks.disclose import Disclose
from blindscore.surveillance.attacks.intercept import Intercept
from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.attacks.map import Map
from blindscore.surveillance.attacks.profile import Profile
from blindscore.surveillance.attacks.remember import Remember
from blindscore.surveillance.attacks.repeat import Repeat
from blindscore.surveillance.attacks.steer import Steer
from blindscore.surveillance.attacks.track import Track
from blindscore.surveillance.scene import Capability

GROUP = "blindscore.capabilities"
OWN: tuple[type[Capability], ...] = (Profile, Link, Map, Track, Steer, Intercept, Disclose, Remember, Repeat)


def load_capabilities() -> list[Capability]:
    """Return every capability, this package's first."""
    return [make() for make in OWN] + [point.load()() for point in entry_points(group=GROUP)]
