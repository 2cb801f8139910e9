"""Whether a standing order that may not be told can be felt: the time of a reply with one and without.

``python benchmarks/bench_standing_order.py [--blocks N]`` founds a town of ``sealed``, serves its lender over TLS on
loopback, and asks it for offers on one line: blocks of 20, before each of which a coin decides whether a silent order
for everybody stands. Printed are the medians, and how much oftener a reply, or a block's median, is later under an
order than without one (2 AUC - 1, from the Mann-Whitney statistic).
"""

import argparse
import contextlib
import json
import os
import random
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

from blindscore.parties.message import Message
from blindscore_app.town import board
from blindscore_app.town.bundle import MEDIA, pack
from blindscore_app.town.folders import folder_of
from blindscore_app.town.posting import Posting
from blindscore_app.town.services import service_of
from blindscore_app.town.serving import InThread
from blindscore_app.town.warrant import place
from blindscore_crypto.channel.signatures import SigningKey
from blindscore_crypto.sealed.offer import ask

BLOCK, LED_IN = 20, 2  # replies of a block that count, and those before them that do not
LONGEST = 1 << 20


def later(ordered, free):
    """How much oftener a value is later under an order."""
    return 2 * mannwhitneyu(ordered, free).statistic / len(ordered) / len(free) - 1


def replies(post, address, body):
    """Microseconds of each reply of a block."""
    taken = []
    for _ in range(LED_IN + BLOCK):
        began = time.perf_counter()
        assert post.ask(address, "/messages", body, {"content-type": MEDIA}).status == 200
        taken.append(1e6 * (time.perf_counter() - began))
    return taken[LED_IN:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    blocks = {False: [], True: []}
    with tempfile.TemporaryDirectory() as scratch:
        town, passphrase, _ = board.prepare(Path(scratch) / "town", "sealed", 2, 3, history=500, delay_s=2)
        folder, coin = folder_of(town.folder, "lender"), random.Random(1)
        body = pack([Message("lender", "ask", ask(SigningKey().public) + town.channel("lender"))])
        service = service_of(town, "lender", passphrase.encode())
        context = town.identity("lender").anonymous_side()
        with InThread(service, town.listening("lender")) as up, contextlib.closing(Posting(context, LONGEST)) as post:
            for _ in range(given.blocks):
                ordered = coin.random() < 0.5
                record = place(folder, "", gag=True) if ordered else None
                blocks[ordered].append(replies(post, up.address, body))
                if record is not None:
                    record.unlink()
    ordered, free = np.array(blocks[True]), np.array(blocks[False])
    told = {
        "replies": [ordered.size, free.size],
        "median_us": [round(float(np.median(each)), 1) for each in (ordered, free)],
        "one_reply_later": round(float(later(ordered.ravel(), free.ravel())), 3),
        "median_of_20_later": round(float(later(np.median(ordered, axis=1), np.median(free, axis=1))), 3),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(told, indent=None if given.json else 1))


if __name__ == "__main__":
    main()
