"""Which pseudo-labels a student learns from: scores, rules, decisions and their reasons."""
