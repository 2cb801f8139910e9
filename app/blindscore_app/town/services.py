"""Services: what one institution of a town serves, from its own folder, the public folder and the passphrase."""

from __future__ import annotations

from blindscore.parties.message import MAX_BODY
from blindscore_app.town.folders import folder_of
from blindscore_app.town.lines import Lines
from blindscore_app.town.posting import Posting
from blindscore_app.town.relaying import Relaying
from blindscore_app.town.service import Service
from blindscore_app.town.standing import Town
from blindscore_app.town.warrant import Heeded
from blindscore_crypto.channel.relay import Relay


def service_of(town: Town, name: str, passphrase: bytes, answer_after: float = 0.0) -> Service | Relaying:
    """Return an institution's service, ready to be served.

    Raises
    ------
    DataError
        See :meth:`~blindscore_app.town.standing.Town.party`.
    """
    party, context = town.party(name, passphrase), town.identity(name).client_side()
    heeded = Heeded(folder_of(town.folder, name))
    if isinstance(party, Relay):
        return Relaying(party, Posting(context, MAX_BODY), town.addresses, heeded, answer_after)
    lines = Lines(town.addresses, context)
    return Service(party, lines, town.logins(name), answer_after, heeded=heeded, desk=town.desk(name, passphrase))
