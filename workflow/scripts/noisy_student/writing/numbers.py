"""Numbers of label maps: the label table's own, or those of TotalSegmentator's classes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from noisy_student.cohort.organ_names import OrganNames
from noisy_student.errors import InputError
from noisy_student.organs import Organ, plain

OWN, TOTALSEGMENTATOR = "own", "totalsegmentator"
NUMBERS = (OWN, TOTALSEGMENTATOR)
# TotalSegmentator 2, `class_map["total"]` of its map_to_binary.py: the first is number 1.
CLASSES = (
    "spleen kidney_right kidney_left gallbladder liver stomach pancreas adrenal_gland_right adrenal_gland_left "
    "lung_upper_lobe_left lung_lower_lobe_left lung_upper_lobe_right lung_middle_lobe_right lung_lower_lobe_right "
    "esophagus trachea thyroid_gland small_bowel duodenum colon urinary_bladder prostate kidney_cyst_left "
    "kidney_cyst_right sacrum vertebrae_S1 vertebrae_L5 vertebrae_L4 vertebrae_L3 vertebrae_L2 vertebrae_L1 "
    "vertebrae_T12 vertebrae_T11 vertebrae_T10 vertebrae_T9 vertebrae_T8 vertebrae_T7 vertebrae_T6 vertebrae_T5 "
    "vertebrae_T4 vertebrae_T3 vertebrae_T2 vertebrae_T1 vertebrae_C7 vertebrae_C6 vertebrae_C5 vertebrae_C4 "
    "vertebrae_C3 vertebrae_C2 vertebrae_C1 heart aorta pulmonary_vein brachiocephalic_trunk subclavian_artery_right "
    "subclavian_artery_left common_carotid_artery_right common_carotid_artery_left brachiocephalic_vein_left "
    "brachiocephalic_vein_right atrial_appendage_left superior_vena_cava inferior_vena_cava "
    "portal_vein_and_splenic_vein iliac_artery_left iliac_artery_right iliac_vena_left iliac_vena_right humerus_left "
    "humerus_right scapula_left scapula_right clavicula_left clavicula_right femur_left femur_right hip_left hip_right "
    "spinal_cord gluteus_maximus_left gluteus_maximus_right gluteus_medius_left gluteus_medius_right "
    "gluteus_minimus_left gluteus_minimus_right autochthon_left autochthon_right iliopsoas_left iliopsoas_right brain "
    "skull rib_left_1 rib_left_2 rib_left_3 rib_left_4 rib_left_5 rib_left_6 rib_left_7 rib_left_8 rib_left_9 "
    "rib_left_10 rib_left_11 rib_left_12 rib_right_1 rib_right_2 rib_right_3 rib_right_4 rib_right_5 rib_right_6 "
    "rib_right_7 rib_right_8 rib_right_9 rib_right_10 rib_right_11 rib_right_12 sternum costal_cartilages"
)


def numbered(organs: Sequence[Organ], numbers: str) -> list[Organ]:
    """The organs under the numbers of a name in `NUMBERS`; under TotalSegmentator's they have its names too.

    Raises InputError for organs that TotalSegmentator does not have, or has in several classes.
    """
    if numbers == OWN:
        return list(organs)
    names = OrganNames(organs)
    fitting = [(organ, _classes_of(organ, names)) for organ in organs]
    if unfit := [_in_words(organ, classes) for organ, classes in fitting if len(classes) != 1]:
        remedy = "leave the label table's own numbers: without --numbers"
        raise InputError("organs that are one class of TotalSegmentator each", ", ".join(unfit), remedy)
    numbers = {name: number for number, name in enumerate(CLASSES.split(), 1)}
    return [replace(organ, label=numbers[name], name=name) for organ, (name,) in fitting]


def _classes_of(organ: Organ, names: OrganNames) -> list[str]:
    """The class of the organ's own name, or all that its other names fit."""
    fitting = [name for name in CLASSES.split() if names.rank(name) == organ.label]
    return [name for name in fitting if plain(name) == plain(organ.name)] or fitting


def _in_words(organ: Organ, classes: Sequence[str]) -> str:
    return f"{organ.name} ({' and '.join(classes)})" if classes else organ.name


def renumbered(label_map: np.ndarray, before: Sequence[Organ], after: Sequence[Organ]) -> np.ndarray:
    """The label map, uint8, with each organ's label of one table replaced by that of another, in the same order."""
    of_each_label = np.zeros(max((organ.label for organ in before), default=0) + 1, np.uint8)
    of_each_label[[organ.label for organ in before]] = [organ.label for organ in after]
    return of_each_label[label_map]
