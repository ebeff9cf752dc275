"""The commands and what they share.

Imports nothing: the help of a command must not wait for torch.
"""
