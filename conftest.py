"""Settings of all tests, those in the documentation included."""

import torch

torch.set_num_threads(1)  # networks this small wait longer for each other than they gain
