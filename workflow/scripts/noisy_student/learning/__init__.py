"""nnU-Net inside the workflow: plans, preprocessing, training, labelling, selection."""
