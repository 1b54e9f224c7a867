"""`dataware deploy`: what it does to an app of CDK, with the user's own CDK command line.

cdk_setup       one meaning for both command lines: cdk_options reads what follows `--`,
    │           cdk_refusals refuses some of it; cdk_cli finds CDK, cdk_package knows its help
    ▼
single_synth ──────────────────────┐  the app runs once, under bundling_app, with the decisions
    │ something is to do before    │  of the lock file; `plan` guards what it wrote
    ▼                              │
stacks                             │  the app runs without decisions; the stacks CDK would take
    ▼                              │
plan                               │  decisions and losses, shown; a stop or a loss ends it here
    ▼                              │  each in the account and region of its stack (credentials)
deploy, places                     │  asks, creates, copies, verifies, writes the lock file
    ▼                              │
cdk_cli  ◄─────────────────────────┘  `cdk deploy`, which imports what exists; checked_app runs
    │                                 the app there, and fails where it declares other data
    ▼
deploy          fills what only the stack could create, and writes the lock file again
"""
