"""Commands that measure the package's own cost: speed, memory, latency."""
