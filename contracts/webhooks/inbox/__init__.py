"""The inbox: a door that lets in what a provider sent, takes it once, keeps it, and hands it on."""
