"""What the transports know of AWS over HTTP: endpoints, credentials, regions, refusals; no I/O."""
