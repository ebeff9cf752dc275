"""Commands and what they share. Empty: their help must not wait for torch."""
