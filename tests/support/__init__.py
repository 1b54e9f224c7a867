"""What the tests share: servers, a proxy that injects faults, and independent peers."""
