"""What a teacher may be, and what a student learns from it."""
