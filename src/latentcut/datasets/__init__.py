"""Annotated images on disk, read without torch."""
