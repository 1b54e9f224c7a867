"""A fleet: one app in many accounts and regions, planned as a whole and applied in waves; pure."""
