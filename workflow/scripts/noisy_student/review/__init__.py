"""Which scans a person should correct first, and what is handed to that person."""
