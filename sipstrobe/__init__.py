"""A network strobe speaker in software: a SIP endpoint with a light, a siren and rules."""

import os

# One thread computes one block of sound: more of them only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
