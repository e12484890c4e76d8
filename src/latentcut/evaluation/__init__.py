"""The evaluation protocol of the field: NoC, failures, IoU after k clicks."""
