"""The use cases: plan, apply, migrate, verify, status, policy; every argument is data or a port."""
