"""The pure floor: facts, rules and plans as values; no I/O, no clock, no randomness."""
