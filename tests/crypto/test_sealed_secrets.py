"""No secret in print: every class of the sealed package is met alive, and its repr and its errors are searched."""

from __future__ import annotations

import gc
import importlib
import inspect
import pkgutil
import traceback

import pytest

import blindscore_crypto.channel
import blindscore_crypto.sealed
from blindscore.errors import ForgeryError
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed import one_show
from blindscore_crypto.sealed.attestation import Issued, blindings
from blindscore_crypto.sealed.blind.acl import AclReceiver, Attributes
from blindscore_crypto.sealed.disclosure import Openings
from blindscore_crypto.sealed.groups.group import P256_GROUP
from blindscore_crypto.sealed.holder import holder_scalar, secret_base
from blindscore_crypto.sealed.perks.token_key import BLIND_RSA, VOPRF
from blindscore_crypto.sealed.perks.tokens import request_token
from blindscore_crypto.sealed.presentation import Witness
from tests.crypto.sealed_world import GOOD, World
from tests.crypto.test_sealed_perks import Perk

# Classes that hold nothing of a person or a key: protocols, kinds, errors and public values.
NEVER_ALIVE = {"Group", "Purse", "Issuer", "_Used", "_Slots", "Combination", "Ristretto255", "Variant"}


def classes() -> dict[str, type]:
    found = {}
    for package in (blindscore_crypto.sealed, blindscore_crypto.channel):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            module = importlib.import_module(info.name)
            for name, one in inspect.getmembers(module, inspect.isclass):
                if one.__module__ == info.name and info.name.startswith("blindscore_crypto.sealed"):
                    found[f"{info.name}.{name}"] = one
    return found


def spelt(secret: int | bytes) -> set[str]:
    """How a secret would look in print."""
    if isinstance(secret, bytes):
        return {secret.hex(), repr(secret)[2:-1]}
    return {str(secret), f"{secret:x}"}


@pytest.fixture(scope="module")
def alive():
    """Objects of both forms in the middle of everything, and the secrets that are in them."""
    kept, secrets = [], []
    for blind in (False, True):
        world = World(blind=blind)
        wallet = world.apply("ada", "good")
        k = wallet.secret(P256_GROUP)
        secrets += [k, int.from_bytes(wallet.application()["blinding"], "big"), bytes(wallet.application()["client"])]
        kept += [world, wallet, wallet.purse, *world.published()]
        client = SigningKey()
        kept += [client, world.offer(client), wallet.handle]
        if blind:
            attributes = Attributes(
                holder_scalar(P256_GROUP, "ada"), P256_GROUP.mul(k, secret_base(P256_GROUP)), (1, 0)
            )
            opening, state = world.sources[0]._blind.begin(attributes)
            receiver = AclReceiver.begin(world.sources[0]._blind.key, attributes, opening)
            credential = receiver.finish(world.sources[0]._blind.answer(state, receiver.challenge))
            witness = one_show.Witness(holder_scalar(P256_GROUP, "ada"), k, [credential], [[1, 0]], 987654321987654321)
            from blindscore_crypto.sealed.blind.acl import Opening

            first = Opening.decode(P256_GROUP, opening)
            kept += [
                attributes,
                receiver,
                credential,
                witness,
                first,
                one_show.Shown.open(world.terms, world.answer(GOOD)),
            ]
            secrets += [*receiver.secrets, credential.gamma, first.rnd, world.sources[0]._blind._x, 987654321987654321]
            secrets += [holder_scalar(P256_GROUP, "ada"), receiver.serial]
        else:
            issued: Issued = world.issue("ada", GOOD)[0]
            row = blindings(P256_GROUP, issued.seed, 4)
            kept += [issued, Witness(k, [row], 85, row[0]), Openings([row], {"income": 3, "arrears": 0})]
            from blindscore_crypto.sealed import presentation

            kept.append(presentation.Shown.open(world.terms, world.answer(GOOD)))
            secrets += [issued.seed, *row]
    for kind in (BLIND_RSA, VOPRF):
        perk = Perk(kind)
        pending = request_token(perk.challenge, perk.issuer.key)
        kept += [perk, pending, pending._blinded, perk.office, perk.gate, perk.issuer, perk.gate.redeem]
        secrets += [pending._input, perk.gate._secret]
        secrets += list(pending._blinded.blinds) if kind == VOPRF else [pending._blinded._inverse]
        if kind == VOPRF:
            secrets.append(perk.issuer._server._k)
    return kept, secrets


def test_no_repr_of_any_living_object_tells_a_secret(alive):
    _, secrets = alive
    words = {word for secret in secrets for word in spelt(secret) if len(word) > 8}
    every, met = classes(), set()
    ours = {one: name for name, one in every.items()}
    for thing in gc.get_objects():
        name = ours.get(type(thing))
        if name is None:
            continue
        met.add(name)
        shown = repr(thing) + str(thing)
        told = [word for word in words if word in shown]
        assert not told, f"{name} prints a secret"
    assert "Issued(attestation=" in repr(next(t for t in alive[0] if isinstance(t, Issued)))
    holders = {"Issued", "Wallet", "AclReceiver", "AclCredential", "AclSigner", "Attributes", "Opening", "Witness"}
    holders |= {"SealedPurse", "BlindPurse", "Source", "Lender", "Office", "Gate", "PendingToken", "Client", "Server"}
    holders |= {"RsaIssuer", "VoprfIssuer", "BlindSigner", "Blinded", "Openings", "LogKeeper", "Witness"}
    assert holders <= {name.rpartition(".")[2] for name in met}


def test_every_class_that_keeps_secret_fields_hides_them():
    """By their names: whoever adds a field called so must keep it out of the repr."""
    hidden = {
        *("seed", "secret", "secrets", "blinding", "blindings", "total_blinding", "holder_blinding", "gamma", "rnd"),
        *("bins", "bits", "serial", "blinds", "number", "value", "credentials", "_input", "_blinded", "_inverse"),
    }
    public = {("RangeProof", "bits"), ("Attestation", "secret"), ("_Leaf", "value")}
    public |= {("Epoch", "number"), ("LogKeeper", "number")}
    checked = 0
    for name, one in classes().items():
        fields = getattr(one, "__dataclass_fields__", {})
        custom = "__repr__" in one.__dict__ and "dataclass" not in (one.__repr__.__qualname__ or "")
        for field in fields.values():
            if field.name in hidden and (one.__name__, field.name) not in public:
                checked += 1
                own = one.__dict__["__repr__"].__qualname__.startswith(one.__name__ + ".__repr__") and not field.repr
                assert not field.repr or (custom and own) or one.__name__ == "Blinded", f"{name}.{field.name}"
    assert checked >= 12


def test_no_error_of_a_wallet_repeats_what_it_refused():
    world = World()
    issued = world.issue("ada", GOOD)[0]
    from blindscore_crypto.sealed.attestation import opened

    public = P256_GROUP.mul(world.secret + 1, secret_base(P256_GROUP))
    with pytest.raises(ForgeryError, match="does not commit to this person and these bins") as caught:
        opened(P256_GROUP, world.terms.sources[0], world.epoch, "ada", public, issued)
    said = "".join(traceback.format_exception(caught.value))
    assert issued.seed.hex() not in said
    assert str(issued.bins) not in said
