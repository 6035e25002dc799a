"""The drill against receivers whose faults are known."""
