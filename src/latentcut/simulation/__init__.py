"""The robot user and the random clicks of training. NumPy and OpenCV only."""
