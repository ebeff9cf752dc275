"""Checks, seeds and the like, which every room may use.

Imports nothing: some of its modules must work with numpy alone.
"""
