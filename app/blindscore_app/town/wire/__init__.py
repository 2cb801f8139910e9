"""The wire, measured: real parties behind their real service, an observer of packets, and what it makes of them.

::

    wallet (namespace)  --veth--  relay: delay, rate, loss  --veth--  lender (namespace)
                                            |
                                            observer: AF_PACKET, kernel's times, addresses and sizes, no key

Where namespaces cannot be had, :class:`~blindscore_app.town.tap.Tap` stands in the place of relay and observer.
"""
