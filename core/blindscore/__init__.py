"""Score credit without watching people, and measure how much watching each design removes.

Where to begin: :class:`blindscore.people.population.Population` holds people,
:class:`blindscore.scorecard.scorecard.Scorecard` scores them, a *design*
(:mod:`blindscore.designs`) decides who sees what, a *capability*
(:mod:`blindscore.surveillance`) says what the seeing is good for, and the *ledger* keeps the figures.
Nothing heavy is imported here: import the module that you need.
"""

__version__ = "0.2.0"
