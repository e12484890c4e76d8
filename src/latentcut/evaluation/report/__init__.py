"""The report of an evaluation: one HTML file with tables, plots, pictures and provenance."""
