"""How a client must behave: the stand-in provider and its faults."""
