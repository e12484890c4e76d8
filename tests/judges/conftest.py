"""What all judges share."""

from __future__ import annotations

import signal

# A shell that starts the tests in the background has them ignore Ctrl+C, and what they start
# inherits that. Some tests interrupt the programs they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
