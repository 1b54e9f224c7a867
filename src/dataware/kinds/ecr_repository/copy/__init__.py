"""Copies a repository through the registries' own HTTP interface, image by image, by digest.

`copier` hands out images and carries them, `images` lists them, `manifests` says what one consists
of, `registry` speaks to a registry and `token` holds what it asks for.
"""
