"""The figures of the paper, to stand beside a run's own.

Tong et al., "A semi-supervised segmentation network based on noisy student learning for MICCAI FLARE22":
tables 2, 3 and 4 (50 labelled, 2000 unlabelled, 50 validation scans).
"""

CITATION = (
    "Tong et al., A semi-supervised segmentation network based on noisy student learning for MICCAI FLARE22 (the paper)"
)

# Role → how the challenge calls the scans that the paper used, and how many they are.
PAPERS_SCANS = {"labelled": (r"FLARE22_Tr_\d{4}", 50), "validation": (r"FLARETs_\d{4}", 50)}

WINNER_CITATION = (
    "Huang et al., Revisiting nnU-Net for Iterative Pseudo Labeling and Efficient Sliding Window Inference, FLARE22"
)
# The small network with which the challenge was won, and its mean running time and scores on the hidden test scans.
WINNER_PATCH, WINNER_SPACING = "32 × 128 × 192", "4 × 1.2 × 1.2"
WINNER_SECONDS = 14.59
WINNER_DSC, WINNER_NSD = 0.8864, 0.9465

# In the order of the label table; label 0 is the mean over organs.
_ORDER = (*range(1, 14), 0)
LABELLED_DSC: dict[int, float] = dict(
    zip(
        _ORDER,
        (
            0.9686,
            0.9204,
            0.9186,
            0.8373,
            0.9477,
            0.8753,
            0.7821,
            0.7175,
            0.7325,
            0.8321,
            0.8596,
            0.7549,
            0.8986,
            0.8496,
        ),
        strict=True,
    )
)
PSEUDO_LABELLED_DSC: dict[int, float] = dict(
    zip(
        _ORDER,
        (
            0.9717,
            0.9177,
            0.9233,
            0.8657,
            0.9514,
            0.8618,
            0.7815,
            0.7404,
            0.7564,
            0.8171,
            0.8979,
            0.7639,
            0.8977,
            0.8574,
        ),
        strict=True,
    )
)

PROTOCOL: dict[str, str] = {
    "network": "3-D nnU-Net, residual encoder",
    "parameters": "63.07 M",
    "FLOPs at the patch size": "1.25 T",
    "patch (z × y × x)": "32 × 224 × 224",
    "batch size": "2",
    "spacing (z × y × x), mm": "3 × 1 × 1",
    "epochs": "1000",
    "initial learning rate": "0.01",
    "learning-rate schedule": "poly, (1 − epoch / 1000) ^ 0.9",
    "optimizer": "SGD, Nesterov momentum 0.99",
    "loss": "Dice + cross-entropy",
    "initialisation": "He",
    "training time": "94.5 h on one RTX 3090",
}
