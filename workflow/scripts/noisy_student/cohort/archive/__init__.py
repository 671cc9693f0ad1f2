"""A DICOM archive as it was exported: any tree of files of many patients."""
