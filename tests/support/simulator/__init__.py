"""Whole runs of a followed migration in memory, in which one seed decides everything.

The order of all that happens at once, delays, lost answers, throttling, partial batches, kills,
pauses, clocks that jump, and who writes where: all of it comes from one seed, so that a run that
breaks a promise can be looked at again and again. What is tested is the product's own: the loop of
the follow, the gap rules, the cut-over, the marker and its lock. What surrounds it is here:

- `world` has the time, the chance, and what is under way
- `tables` the tables with their streams
- `sides` reads and writes them, as the copy, the carrier and the comparison do
- `store` keeps the markers
- `process` is one process of dataware on one machine
- `people` are those who start and stop processes, and the apps that write
- `judge` says what must never happen
- `run` runs a seed

Buckets are followed by listings and swapped by ETags, so they have parts of their own:

- `stepped_loop` is an event loop that a seed drives, `wires` the requests that are on their way
- `buckets` has the objects and the S3 that answers, `bucket_sides` lists, compares and records
- `bucket_process`, `bucket_undo` and `bucket_people` are the same as above, for buckets

Runs of `plan` and `apply` are simulated from their first line to their last, two at once, with
CloudFormation that goes on by itself; their resources are boxes in memory:

- `fibers` lets one thread at a time go on, `applying` has the processes and their surroundings
- `apply_run` has the operator, the writers, and what must never happen

Not simulated are the control plane of a probe (what S3 and DynamoDB say of a resource), adoption by
a stack of the app, and the copy of a table by the engine; the suites of these have faults of their
own.
"""
