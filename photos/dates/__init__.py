"""Clocks, zones and dates: what tags and names say, and what is wrong with it."""
