"""A network strobe speaker in software: a SIP endpoint with a light, a siren and rules."""

__version__ = "0.1.0"
