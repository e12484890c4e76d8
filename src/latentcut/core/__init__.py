"""Using a model: NumPy, Pillow, OpenCV and ONNX Runtime; no torch."""
