"""Copies a parameter by writing its history again; nothing shows a value.

`history` says what the target lacks, `client` speaks to the service, and `copier` carries it out.
"""
