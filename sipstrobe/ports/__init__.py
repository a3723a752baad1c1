"""Circuits that the device watches and closes: two ports, and inputs that are only told of."""
