"""osam, which is also labelme's engine: a model in its registry, and its HTTP protocol."""
