"""Batches: thousands of images with prompts from a file, answered by any engine, resumable."""
