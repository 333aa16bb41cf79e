"""What TensorBoard's other tabs show: images, precision-recall curves, a layout, the graph."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from tensorboard.compat.proto import types_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from autotrack.records import GraphNode, Record

_CURVES_PLUGIN = "pr_curves"
_LAYOUT_PLUGIN = "custom_scalars"
_LAYOUT_TAG = "custom_scalars__config__"
_RGB = 3
_GRAPH_VERSION = 22


def add(add_value: Callable[[], Any], record: Record) -> None:
    """Add the images, curves and the layout of `record` to an event's values."""
    for tag, pixels in record.images:
        _fill_image(add_value(), tag, pixels)
    for tag, curve in record.curves:
        _fill_curve(add_value(), tag, curve)
    if record.layout:
        _fill_layout(add_value(), record.layout)


def _fill_image(value: Any, tag: str, pixels: NDArray[np.uint8]) -> None:
    value.tag = tag
    value.image.height, value.image.width, value.image.colorspace = pixels.shape
    value.image.encoded_image_string = png(pixels)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode [height, width, 3] bytes as a PNG (ISO/IEC 15948).

    Raises ValueError for any other shape or type.
    """
    if pixels.ndim != _RGB or pixels.shape[2] != _RGB or pixels.dtype != np.uint8:
        raise ValueError(f"expected [height, width, 3] bytes, got {pixels.shape} {pixels.dtype}")
    height, width, _ = pixels.shape
    # each line begins with the number of its filter: none
    lines = np.zeros((height, 1 + width * _RGB), np.uint8)
    lines[:, 1:] = pixels.reshape(height, width * _RGB)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def _fill_curve(value: Any, tag: str, curve: NDArray[np.float64]) -> None:
    from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData

    plugin = value.metadata.plugin_data
    plugin.plugin_name = _CURVES_PLUGIN
    plugin.content = PrCurvePluginData(num_thresholds=curve.shape[1]).SerializeToString()
    value.tag = tag
    value.tensor.dtype = types_pb2.DT_FLOAT
    for size in curve.shape:
        value.tensor.tensor_shape.dim.add(size=size)
    value.tensor.tensor_content = curve.astype("<f4").tobytes()


def _fill_layout(value: Any, layout: dict[str, dict[str, list[str]]]) -> None:
    from tensorboard.plugins.custom_scalar.layout_pb2 import Layout

    shown = Layout()
    for title, charts in layout.items():
        category = shown.category.add(title=title)
        for name, patterns in charts.items():
            category.chart.add(title=name).multiline.tag.extend(patterns)
    value.tag = _LAYOUT_TAG
    value.metadata.plugin_data.plugin_name = _LAYOUT_PLUGIN
    value.tensor.dtype = types_pb2.DT_STRING
    value.tensor.tensor_shape.SetInParent()
    value.tensor.string_val.append(shown.SerializeToString())


def fill_graph_event(event: Any, record: Record) -> None:
    """Set the protobuf `Event` to the graph of `record`."""
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    graph = GraphDef()
    graph.versions.producer = _GRAPH_VERSION
    for node in record.graph:
        _fill_node(graph.node.add(), node)
    event.Clear()
    event.step = record.x
    event.wall_time = record.time
    event.graph_def = graph.SerializeToString()


def _fill_node(proto: Any, node: GraphNode) -> None:
    proto.name, proto.op = node.name, node.operation
    proto.input.extend(node.inputs)
    if node.shape is not None:
        shape = proto.attr["_output_shapes"].list.shape.add()
        for size in node.shape:
            shape.dim.add(size=size)
