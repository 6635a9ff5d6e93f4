"""What is claimed about speed and reliability, runnable."""
