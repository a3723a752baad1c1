"""The light and the siren: patterns, profiles and the running operations of each function."""
