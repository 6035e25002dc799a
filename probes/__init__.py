"""What is asked of a service, and what the answer means."""
