"""Find capabilities: those of this package, and others through the entry-point group ``blindscore.capabilities``."""

from __future__ import annotations

from importlib.metadata import entry_points

from blindscore.errors import ParameterError
from blindscore.surveillance.attacks.arrivals import Arrivals
from blindscore.surveillance.attacks.choose import Choose
from blindscore.surveillance.attacks.disclose import Disclose
from blindscore.surveillance.attacks.intercept import Intercept
from blindscore.surveillance.attacks.link import Link
from blindscore.surveillance.attacks.map import Map
from blindscore.surveillance.attacks.profile import Profile
from blindscore.surveillance.attacks.remember import Remember
from blindscore.surveillance.attacks.repeat import Repeat
from blindscore.surveillance.attacks.steer import Steer
from blindscore.surveillance.attacks.track import Track
from blindscore.surveillance.capability import Capability

GROUP = "blindscore.capabilities"
OWN: tuple[type[Capability], ...] = (
    Profile,
    Link,
    Map,
    Track,
    Steer,
    Choose,
    Intercept,
    Arrivals,
    Disclose,
    Remember,
    Repeat,
)


def load_capabilities() -> list[Capability]:
    """Return every capability, in the order of the table.

    Raises
    ------
    ParameterError
        Two capabilities carry one name, or a plug-in is no capability.
    """
    found: list[Capability] = [make() for make in OWN]
    for point in entry_points(group=GROUP):
        capability = point.load()()
        if not isinstance(capability, Capability):
            raise ParameterError(f"entry point {point.name!r} of {point.dist} is no Capability; see CONTRIBUTING.md")
        found.append(capability)
    names = [capability.name for capability in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError(f"more than one capability is called {', '.join(twice)}; remove or rename a plug-in")
    return sorted(found, key=lambda capability: (capability.order, capability.name))
