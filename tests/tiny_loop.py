"""The smallest experiment that takes every way of the workflow."""

TINY = {
    "cohort": {"embedded": {"labelled": 3, "unlabelled": 4, "validation": 1, "test": 2}},
    "training": {"epochs": 3, "iterations_per_epoch": 40, "validation_iterations_per_epoch": 2, "learning_rate": 0.01},
    "networks": {"coarse": {"base_features": 4}},
    "rounds": [
        {"network": "coarse"},
        {"network": "coarse"},
        {"network": "coarse", "start": "teacher", "targets": "online"},
    ],
    # So little training finds few organs; what is tested is the way, not the result.
    "selection": "paper",
    # Nor shall a student that so little training makes worse be passed over.
    "collapse": {"noise_band": 1.0},
    "shards": 2,
}
