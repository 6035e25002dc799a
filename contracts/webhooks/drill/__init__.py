"""The drill: does a receiver let in what the provider sent and nothing else, once, in time?"""
