"""Training of the paper's networks: f first, then g with f frozen."""
