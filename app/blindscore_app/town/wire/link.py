"""Link: the network between two parties: how late, how fast, how lossy.

Rates and round trips of ``dsl`` and ``mobile`` are those of WebPageTest's published profiles "DSL (1.5 Mbps/384 Kbps
50ms RTT)" and "Mobile 3G (1.6 Mbps/768 Kbps 300ms RTT)" (its ``connectivity.ini``), half the round trip each way.
Jitter and loss are not in them; they are this project's own, there so that a link is not smoother than any real one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A network between a wallet and a service."""

    name: str
    delay_s: float  # one way
    jitter_s: float  # standard deviation of the delay, cut off at 0
    up_bytes_per_s: float  # of one wallet, towards the service
    down_bytes_per_s: float
    loss: float = 0.0  # share of packets that do not arrive


LINKS = {
    link.name: link
    for link in (
        Link("loopback", 0.0, 0.0, 1e12, 1e12),
        Link("lan", 0.0001, 0.00002, 1.25e8, 1.25e8),
        Link("dsl", 0.025, 0.001, 384e3 / 8, 1.5e6 / 8),
        Link("mobile", 0.150, 0.010, 768e3 / 8, 1.6e6 / 8, loss=0.002),
    )
}
