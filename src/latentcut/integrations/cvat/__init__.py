"""CVAT: an interaction function for its agents, and a handler for its nuclio functions."""
