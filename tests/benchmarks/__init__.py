"""Tests of the benchmarks: that what they compare is the same. No time is asserted."""
