"""How searches for a counterexample are made.

Without a clock, for a busy machine is no fault in what is tested.
"""

from hypothesis import settings

from tests.rounds import rounds

settings.register_profile("plek", deadline=None, max_examples=rounds(50, soak=1_000))
settings.load_profile("plek")
