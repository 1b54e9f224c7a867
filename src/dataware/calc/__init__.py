"""Calculations that know neither AWS nor dataware: rates, key ranges, digests, sizes; pure."""
