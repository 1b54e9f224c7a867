"""The commands of a fleet: one file each, and what they share."""
