"""The processes of a command: workers, pools, signals, streams, memory."""
