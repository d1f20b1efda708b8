"""What people who write rules ask for: which there are, what they compile to, whether they hold."""
