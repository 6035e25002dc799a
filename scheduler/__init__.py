"""When a service is asked, how often, and the process that does it."""
