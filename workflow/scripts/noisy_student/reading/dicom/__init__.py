"""CT from DICOM: series of slices, and files of many frames."""
