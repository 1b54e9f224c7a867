"""What can carry a migration: engines as cards, and the pure choice among them.

`card` says what an engine is, needs and takes; `general` has the cards of those that carry every
type, and a type brings its own; `choice` puts them together for one migration, from `situation`.
"""
