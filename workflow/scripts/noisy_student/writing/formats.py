"""What formats of label maps are called, and how their files' names end. Without any imaging library."""

NIFTI, SLICER, DICOM_SEG = "nii.gz", "seg.nrrd", "dicom-seg"
FORMATS = {NIFTI: ".nii.gz", SLICER: ".seg.nrrd", DICOM_SEG: ".dcm"}
