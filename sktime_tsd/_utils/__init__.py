"""Checks, seeds and the like, which every room may use. Empty: some parts need numpy alone."""
