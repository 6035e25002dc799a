"""What comes in from a provider: signatures, events, inbox, drill."""
