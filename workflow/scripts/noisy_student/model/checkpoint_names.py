"""What nnU-Net calls the checkpoints of a fold, and what each of them holds."""

# Kinds of checkpoints of a fold; nnU-Net keeps the latter two until a training has ended.
KINDS = FINAL, BEST, LATEST = "final", "best", "latest"


def checkpoint_name(kind: str) -> str:
    """The file's name."""
    return f"checkpoint_{kind}.pth"


FINAL_CHECKPOINT = checkpoint_name(FINAL)
# What each of them has, whoever trained it with nnU-Net v2.
ENTRIES = {"network_weights", "trainer_name", "init_args"}
