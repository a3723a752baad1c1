"""Schedules: what recurs, when it does so next, and what came of it."""
