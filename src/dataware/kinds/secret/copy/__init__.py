"""Copies a secret version by version, under the same ids and labels; nothing shows a value.

`versions` says what a copy has to do, `client` speaks to the service, and `copier` carries it out.
"""
