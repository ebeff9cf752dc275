"""What any fitted classifier answers, on its device, in batches that fit."""
