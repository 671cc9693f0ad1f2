"""What the report says and shows of what a student learned from its pseudo-labels."""

import json
from dataclasses import replace

import numpy as np
import pytest

from methods_text import methods
from noisy_student.images import read_image
from noisy_student.report.left_out import cut_where_most, left_out, left_out_examples
from noisy_student.report.methods import SOFT_REFERENCE, references
from noisy_student.report.protocol import protocol
from noisy_student.report.pseudo_label_learned import learned, shares_left_out
from noisy_student.report.results import read_results
from synthetic_results import SyntheticRun
from synthetic_scans import CROP_ZYX


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    run = SyntheticRun((0.02,), test=1, validation=0, unlabelled=6, pictures=True, soft=True)
    return read_results(run.write(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    return read_results(SyntheticRun((0.02,), test=1, validation=0).write(tmp_path_factory.mktemp("hard")))


def changed(round_, **columns):
    return replace(round_, learned_from=round_.learned_from.assign(**columns))


def test_the_table_has_each_labels_sums_over_pseudo_labelled_scans(results):
    round_ = results.rounds[1]
    table = learned(results, round_)
    assert [row[0].text for row in table.rows] == [*(organ.name for organ in results.organs), "background"]
    rows = round_.learned_from[round_.learned_from.origin == "pseudo"]
    of_liver = rows[rows.label == 1]
    in_loss = of_liver.voxels - of_liver.left_out
    liver = table.data.set_index("organ").loc["liver"]
    assert liver.left_out_share == of_liver.left_out.sum() / of_liver.voxels.sum() > 0
    assert liver.soft_share == of_liver.soft.sum() / in_loss.sum() > 0
    assert np.isclose(liver.mean_share, np.average(of_liver.mean_share, weights=in_loss))
    assert liver.scans_left_out == (of_liver.left_out > 0).sum()
    assert table.rows[0][1].text == f"{liver.left_out_share:.1%}"


def test_an_organ_of_which_all_is_left_out_has_no_softness(results):
    round_ = results.rounds[1]
    own = round_.learned_from
    liver = own.label == 1
    emptied = changed(
        round_,
        left_out=own.left_out.mask(liver, own.voxels),
        soft=own.soft.mask(liver, 0),
        mean_share=own.mean_share.mask(liver),
    )
    assert [cell.text for cell in learned(results, emptied).rows[0][1::2]] == ["100.0%", "–"]


def test_of_hard_targets_the_table_says_what_is_left_out_alone_and_where_nothing_is_there_is_none(results):
    round_ = results.rounds[1]
    sure = changed(round_, mean_share=1.0, soft=0)
    assert learned(results, sure).columns == ["organ", "left out", "in scans"]
    assert learned(results, changed(sure, left_out=0)) is None


def test_where_there_is_no_table_nothing_is_said(hard):
    assert [learned(hard, round_) for round_ in hard.rounds] == [None, None] and left_out_examples(hard) == []


def test_the_scan_with_the_median_share_is_shown(results):
    round_ = results.rounds[1]
    (example,) = left_out_examples(results)
    shares = shares_left_out(round_)
    assert example.problem == "" and example.case == shares.index[len(shares) // 2]
    assert f"{shares.iloc[len(shares) // 2]:.1%} of its voxels" in example.caption
    assert [[panel.title for panel in row] for row in example.panels] == [
        ["image", "pseudo-label, round 1", "left out of the loss"]
    ] * 2


def test_scans_that_are_learned_from_whole_do_not_count_for_the_median(results):
    round_ = results.rounds[1]
    own = round_.learned_from
    whole = own.case == shares_left_out(round_).index[0]
    assert own.case[whole].iloc[0] not in shares_left_out(changed(round_, left_out=own.left_out.mask(whole, 0)))


def test_what_is_left_out_lies_on_the_scan_where_the_networks_grid_has_it(results):
    round_ = results.rounds[1]
    case = shares_left_out(round_).index[0]
    scan = read_image(results.folder / f"cohort/images/{case}_0000.nii.gz")
    found = left_out(round_, case, scan)
    rows = round_.learned_from[round_.learned_from.case == case]
    # In the plane the network's grid has every second row and column.
    assert found.sum() == 4 * rows.left_out.sum()
    outside = found.copy()
    outside[tuple(slice(*ends) for ends in CROP_ZYX)] = False
    assert not outside.any()


def test_the_slices_are_those_where_most_is_left_out():
    hidden, labels = np.zeros((2, 6, 7, 8), np.uint8)
    labels[1, 1] = 1
    hidden[4, 2, :], hidden[4, 5, 3], hidden[2, 5, 0] = 1, 1, 1
    cut = cut_where_most(hidden > 0, labels, (400, 400, 400))
    assert (cut.axial, cut.coronal) == (4, 2) and (cut.lower_zyx, cut.upper_zyx) == ((1, 1, 0), (5, 6, 8))


def test_a_dataset_that_is_gone_leaves_its_reason_in_the_report(results, tmp_path):
    gone = replace(results.rounds[1], folder=tmp_path)
    (example,) = left_out_examples(replace(results, rounds=[results.rounds[0], gone]))
    assert example.panels == [] and str(tmp_path) in example.problem


def test_soft_targets_and_surfaces_are_in_the_methods_text_and_the_table_of_settings(results, hard):
    text = methods(results)
    assert "Targets of pseudo-labelled scans were soft in all rounds" in text and "Near an organ unsure" in text
    assert f"[{references(results).index(SOFT_REFERENCE) + 1}]" in text
    said = protocol(results).data.set_index("what")["round 1"]
    assert said["targets of pseudo-labelled scans"] == "soft"
    assert said["voxels left out of the loss"] == "less than 90% of background but for 10 mm around organs"
    assert "learned along" not in text
    assert "soft" not in methods(hard) and SOFT_REFERENCE not in references(hard)
    said = protocol(hard).data.set_index("what")["round 1"]
    assert said["targets of pseudo-labelled scans"] == "hard" and said["voxels left out of the loss"] == "none"


def test_a_teacher_that_learned_along_is_told_in_text_and_caption(results):
    run = json.loads(json.dumps(results.run))
    run["configuration"]["targets"] = "online"
    online = replace(results, run=run)
    text = methods(online)
    assert "soft in all rounds" in text and "teacher of these targets learned along" in text
    assert SOFT_REFERENCE in references(online)
    caption = learned(online, online.rounds[1]).caption
    assert (
        "when the training began" in caption
        and "when the training began" not in learned(results, results.rounds[1]).caption
    )
