"""Following a source that is written to: which keys changed, and carrying their current state.

How it works. A change feed is read as a set of *dirty keys*, never as a log to replay. Once the
last write of the copy is acknowledged, each dirty key is read in the source, consistently, and what
is there is put into the target, or deleted there if the source has nothing:

    feed ──keys──> DIRTY (durable) ──checkpoint──┐       copy ──last write acknowledged──┐
      ^                                          │                                       v
      └────────────── next round ────────────────┘    DIRTY ──chunk──> read source ──> write target

For each key, either it is in DIRTY, or its change will still come by the feed, or the target's
value equals what the source had at a moment not before its last change. So order, duplicates and
records that come twice after a crash cost one more read and change nothing. What would break this:

- a write of the copy that lands after a carry: carrying begins after the copy's last answer;
- a write without an answer that lands later: its key is carried again after a minute;
- a lost record: the rules of `shards` report it as a gap, and a full difference closes it.
"""
