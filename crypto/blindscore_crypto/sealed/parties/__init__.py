"""Who plays the sealed protocols. Each is a party of bytes, with its state in a store that it is given.

::

    source      signs its customers' bins                    log, witness   one public log, and who makes sure of it
    wallet      one person's; its purse holds what was signed
    lender      decides; office: a lender that hands out perk tokens; gate: takes them
    cast        seats all of them with fresh keys
"""
