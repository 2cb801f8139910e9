"""A page on which one person applies in a running town, and four windows show what each party received and keeps.

::

    browser --page's token, loopback--> server --> stage --wallet, lines, taps--> the town's own services
                                                    |
                                                    logs and databases of the parties, opened as files

Nothing on the page is simulated: bodies are those that the wallet sent, sizes beside them those that the receiver's own
log states, packets those that a tap on the line kept, rows those in the parties' files.
"""
