"""Annotations out of a project and into it: one file per format, and the folder they lie in."""
