"""Instance normalisation in OpenVINO with means that are exact to float32, as torch's are.

OpenVINO's own operation adds up a channel's voxels one after the other in float32. Over a million voxels that loses
digits which torch keeps: enough to give voxels of a trained network another class.
"""

import numpy as np

from noisy_student.model.quiet_openvino import openvino

op = openvino.opset13
Z, Y, X = 2, 3, 4


def with_exact_means(model: openvino.Model) -> openvino.Model:
    """The model, whose instance normalisations over (z, y, x) add up axis after axis; changed in place."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MVN" and _is_of_instances(node):
            node.output(0).replace(_normalized(node.input_value(0), node.get_attributes()["eps"]).output(0))
    model.validate_nodes_and_infer_types()
    return model


def _is_of_instances(node: openvino.Node) -> bool:
    """Whether each channel of a window is normalised by itself, in its variance too."""
    axes, about = node.input_value(1).get_node(), node.get_attributes()
    if node.input_value(0).get_partial_shape().rank.get_length() != 5 or axes.get_type_name() != "Constant":
        return False
    is_as_torch_does = about["normalize_variance"] and about["eps_mode"].upper() == "INSIDE_SQRT"
    return is_as_torch_does and sorted(axis % 5 for axis in axes.data.ravel().tolist()) == [Z, Y, X]


def _normalized(features: openvino.Output, epsilon: float) -> openvino.Node:
    """Features (1, channel, z, y, x) less their mean, by their standard deviation.

    No reduction follows one of its own kind, which OpenVINO would do both in one sum.
    """
    mean = _mean_of_lines(op.reduce_mean(features, [Z], True), features)
    rest = op.subtract(features, mean)
    length = op.reduce_l2(rest, [Z], True)
    variance = _mean_of_lines(op.divide(op.multiply(length, length), _size(features, Z)), features)
    return op.multiply(rest, op.power(op.add(variance, np.float32(epsilon)), np.float32(-0.5)))


def _mean_of_lines(values: openvino.Node, features: openvino.Output) -> openvino.Node:
    """The mean of values (1, channel, 1, y, x), one for each line along z of the features."""
    return op.reduce_mean(op.divide(op.reduce_sum(values, [Y], True), _size(features, Y)), [X], True)


def _size(features: openvino.Output, axis: int) -> openvino.Node:
    """The length of an axis, which may be left open."""
    return op.convert(op.gather(op.shape_of(features), [axis], np.int64(0)), "f32")
