"""The workers in the account: their code, their states, and the short-lived stack of one migration.

A deployment makes them as constructs of its own stack; a command makes them by a template, and
removes them when the migration is complete.
"""
