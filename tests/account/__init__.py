"""The main scenarios in a real account, for whoever has one: ``make aws PROFILE=name``."""
