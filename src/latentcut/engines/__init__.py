"""Engines: one function on many things, by this process, by others, or on a Ray cluster."""
