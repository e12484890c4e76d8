"""Making a model: config, batches, loop, checkpoints."""
