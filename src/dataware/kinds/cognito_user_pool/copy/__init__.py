"""Copies what can be copied of a user pool: never a password, and never with a word to people.

`entries` says what a pool consists of, `client` speaks to the service, `copier` carries it out.
"""
