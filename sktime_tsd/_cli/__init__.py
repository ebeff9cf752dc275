"""The commands and what they share. Kept empty, so that --help does not import torch."""
