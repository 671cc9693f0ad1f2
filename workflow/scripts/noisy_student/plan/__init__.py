"""nnU-Net's plans of a network, and scans and label maps brought onto its grid."""
