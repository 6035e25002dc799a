"""The benchmarks: each measures interlock beside a peer and a floor, in fresh processes of the same run."""
