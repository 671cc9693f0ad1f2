"""What was made once is kept: set aside when other settings come, taken back, and shared between experiments."""
