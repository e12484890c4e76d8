"""The paper's own networks: frozen features, context aggregation, f and g at full resolution."""
