"""How a run starts, is watched, and ends: what Snakemake itself does not say, or says too late."""
