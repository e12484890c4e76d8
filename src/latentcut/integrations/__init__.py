"""Adapters: the shapes of other tools' interfaces over ours."""
