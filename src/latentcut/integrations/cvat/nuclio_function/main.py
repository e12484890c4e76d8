"""What nuclio calls: the handler is in the package."""

from latentcut.integrations.cvat.nuclio import handler, init_context

__all__ = ["handler", "init_context"]
