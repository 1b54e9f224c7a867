"""Compares two resources key by key, by code that the copiers do not share.

A task reads one part of one side, or of both, and its result is a value that can be serialised. So
the tasks of a step run on threads, in processes or in Lambda alike, and one that was stopped
continues somewhere else.

A verification is a few steps, each of them many tasks:

    sorted keys        MERGE ────────────────────────────────────────────────> verdict
    others             DIGEST ──few slots differ──> RESOLVE their records ───> verdict
                       DIGEST ──many differ──> DIGEST canonically ──differ──> RESOLVE

How it works, for eight items on each side and four slots. Each side is read once, and the digest
of each item is added to the slot that its last two bits choose:

    slot          0          1          2          3
    source     a + e      b + f      c + g      d + h
    target     a + e      b + f'     c + g      d + h        f has another value here

Slots 0, 2 and 3 are equal, so are their six items. RESOLVE reads both sides again; for the items in
slot 1 it looks the same keys up on the other side: b is equal, f is *different*. An item that the
other side lacks is *missing* (source) or *extra* (target). The work after the first reading is as
small as the number of differences, and memory is four sums however many items there are.

Two things complicate this. Services may send equal items in different spellings (1 and 1.0, sets in
any order), so raw digests differ where the meaning does not: if more than one slot in eight
differs, both sides are digested again in canonical form. And a side may change between DIGEST and
RESOLVE, so that the slots are no longer true: RESOLVE therefore digests what it reads, and if that
is not what DIGEST read, the comparison starts again in canonical form. A source that still changes
but of which nothing was found missing or different is then looked up as a whole; otherwise it is
reported as changed.
"""
