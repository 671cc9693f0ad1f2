"""What is called how in a fold's folder, besides checkpoints: all that look at trainings know them by these files."""

# What a training is, and was made from: the first file that it writes.
RECORD = "training.json"
# A row for each epoch that has ended.
PROGRESS = "progress.tsv"
# With which versions it was trained: one entry, or several if it went on with others.
VERSIONS = "versions.json"
