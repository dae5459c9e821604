"""A small denoiser as `digidouble onnx` writes one: the mean of 3 × 3 pixels, with a part of the features."""

import json

import numpy as np

LAYERS = {"albedo": ["albedo.R", "albedo.G", "albedo.B"], "normal": ["normal.X", "normal.Y", "normal.Z"]}


def exported(path, layers):
    """An ONNX file with the inputs, output and metadata that farm.learn.onnx_model documents."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from farm.learn import onnx_model

    beside = sum(map(len, layers.values()))
    mean = np.zeros((3, 3, 3, 3), np.float32)
    mean[range(3), range(3)] = 1 / 9
    mixed = np.full((3, beside, 1, 1), 0.01, np.float32)
    sizes = ["count", "height", "width"]

    def image(name, channels):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [sizes[0], channels, *sizes[1:]])

    graph = helper.make_graph(
        [
            helper.make_node("Conv", [onnx_model.NOISY, "mean"], ["light"], pads=[1, 1, 1, 1]),
            helper.make_node("Conv", [onnx_model.FEATURES, "mixed"], ["more"]),
            helper.make_node("Add", ["light", "more"], [onnx_model.OUTPUT]),
        ],
        "denoiser",
        [image(onnx_model.NOISY, 3), image(onnx_model.FEATURES, beside)],
        [image(onnx_model.OUTPUT, 3)],
        [numpy_helper.from_array(mean, "mean"), numpy_helper.from_array(mixed, "mixed")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {onnx_model.LAYERS_KEY: json.dumps(layers)})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
