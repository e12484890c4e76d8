"""The stateless API: images and prompts in, candidate masks out. Nothing is kept for long."""
