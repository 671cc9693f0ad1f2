"""Trackers by choice, TensorBoard, MLflow, Weights & Biases: given what lies on disk, whenever that is."""
