"""What the package itself costs: speed, memory, latency, each a command."""
