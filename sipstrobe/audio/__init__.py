"""Sound as blocks of samples: rings, fades, the mix, other sample rates."""
