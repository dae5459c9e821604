"""Digidouble's library, in the order the data takes through it.

recipe → double, motion, stage → render → cluster → dataset → learn; imports go down this list and never up.
"""

__version__ = "0.1.0"
