"""The networks in torch: encoder, f, g, losses and their export to ONNX."""
