"""Records as TensorBoard `Event` messages, and the tensors inside such messages as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tensorboard.compat.proto import types_pb2
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from autotrack import eventtabs
from autotrack.scalarevent import HIDDEN_PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from autotrack.records import Histogram, Record

TEXT_PLUGIN = "text"
HPARAMS_PLUGIN = "hparams"
SESSION_TAG = "_hparams_/session_start_info"
_SESSION_END_TAG = "_hparams_/session_end_info"

_NUMPY_TYPES = {
    types_pb2.DT_FLOAT: ("<f4", "float_val"),
    types_pb2.DT_DOUBLE: ("<f8", "double_val"),
    types_pb2.DT_INT32: ("<i4", "int_val"),
    types_pb2.DT_UINT8: ("|u1", "int_val"),
    types_pb2.DT_INT16: ("<i2", "int_val"),
    types_pb2.DT_INT8: ("|i1", "int_val"),
    types_pb2.DT_INT64: ("<i8", "int64_val"),
    types_pb2.DT_BOOL: ("|b1", "bool_val"),
    types_pb2.DT_UINT16: ("<u2", "int_val"),
    types_pb2.DT_UINT32: ("<u4", "uint32_val"),
    types_pb2.DT_UINT64: ("<u8", "uint64_val"),
}
_STATUS = {"success": api_pb2.STATUS_SUCCESS, "failure": api_pb2.STATUS_FAILURE}
_TENSOR_TYPES = {np.dtype(name): data_type for data_type, (name, _) in _NUMPY_TYPES.items()}


def fill_event(event: Any, record: Record) -> None:
    """Set the protobuf `Event` to what `record` holds; scalars are rounded to float32."""
    event.Clear()
    event.step = record.x
    event.wall_time = record.time
    add = event.summary.value.add
    # attributes set one by one take two thirds of the time that keyword arguments take
    for tag, number in record.scalars:
        value = add()
        value.tag = tag
        value.simple_value = number
    for tag, histogram in record.histograms:
        _add_histogram(add, tag, histogram)
    for tag, text in record.texts:
        _add_strings(add, tag, TEXT_PLUGIN, [text])
    for tag, hidden in record.hidden:
        _add_hidden(add, tag, hidden)
    if record.hyperparameters:
        _add_hyperparameters(add(), record)
    if record.ended:
        _add_end(add(), record)
    eventtabs.add(add, record)


def _add_histogram(add: Callable[[], Any], tag: str, histogram: Histogram) -> None:
    if histogram.number:
        value = add()
        value.tag = tag
        proto = value.histo
        proto.min, proto.max = histogram.minimum, histogram.maximum
        proto.num = histogram.number
        proto.sum, proto.sum_squares = histogram.total, histogram.total_squares
        proto.bucket_limit.extend(histogram.limits.tolist())
        proto.bucket.extend(histogram.counts.tolist())
    if any(histogram.nonfinite):
        counts = np.array(histogram.nonfinite, np.int64)
        _add_hidden(add, f"autotrack/nonfinite/{tag}", counts)


def _add_hidden(
    add: Callable[[], Any], tag: str, hidden: NDArray[np.generic] | str | list[str]
) -> None:
    if isinstance(hidden, (str, list)):
        _add_strings(add, tag, HIDDEN_PLUGIN, hidden)
    else:
        _fill_array(_tensor(add, tag, HIDDEN_PLUGIN), hidden)


def _tensor(add: Callable[[], Any], tag: str, plugin: str) -> Any:
    value = add()
    value.tag = tag
    value.metadata.plugin_data.plugin_name = plugin
    return value.tensor


def _add_strings(add: Callable[[], Any], tag: str, plugin: str, texts: str | list[str]) -> None:
    tensor = _tensor(add, tag, plugin)
    tensor.dtype = types_pb2.DT_STRING
    # a scalar has a shape without dimensions, which is not the same as no shape
    tensor.tensor_shape.SetInParent()
    if isinstance(texts, str):
        texts = [texts]
    else:
        tensor.tensor_shape.dim.add(size=len(texts))
    # a lone surrogate, as in the name of a file that is not UTF-8, becomes a question mark
    tensor.string_val.extend(text.encode(errors="replace") for text in texts)


def _fill_array(tensor: Any, array: NDArray[np.generic]) -> None:
    """Raises KeyError for a dtype that TensorBoard has no number for."""
    array = np.asarray(array)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    tensor.dtype = _TENSOR_TYPES[little.dtype]
    tensor.tensor_shape.SetInParent()
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = little.tobytes()


def _add_hyperparameters(value: Any, record: Record) -> None:
    data = HParamsPluginData()
    data.session_start_info.start_time_secs = record.time
    for name, setting in record.hyperparameters.items():
        entry = data.session_start_info.hparams[name]
        if isinstance(setting, bool):
            entry.bool_value = setting
        elif isinstance(setting, str):
            entry.string_value = setting
        else:
            entry.number_value = setting
    value.tag = SESSION_TAG
    value.metadata.plugin_data.plugin_name = HPARAMS_PLUGIN
    value.metadata.plugin_data.content = data.SerializeToString()


def _add_end(value: Any, record: Record) -> None:
    data = HParamsPluginData()
    data.session_end_info.status = _STATUS[record.ended]
    data.session_end_info.end_time_secs = record.time
    value.tag = _SESSION_END_TAG
    value.metadata.plugin_data.plugin_name = HPARAMS_PLUGIN
    value.metadata.plugin_data.content = data.SerializeToString()


def hyperparameters(content: bytes) -> dict[str, bool | float | str]:
    """The hyperparameters in the content of an HParams plugin's session start."""
    entries = HParamsPluginData.FromString(content).session_start_info.hparams
    return {name: getattr(entry, entry.WhichOneof("kind")) for name, entry in entries.items()}


def array_from_tensor(tensor: Any) -> NDArray[np.generic] | None:
    """A numeric `TensorProto` as an array of its shape, None where it is of another type.

    Trailing values that the message leaves out repeat the last one given, and are zero where none
    is given (tensor.proto of TensorFlow).
    """
    if tensor.dtype not in _NUMPY_TYPES:
        return None
    name, values_field = _NUMPY_TYPES[tensor.dtype]
    shape = tuple(dimension.size for dimension in tensor.tensor_shape.dim)
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, name).reshape(shape)
    values = np.array(getattr(tensor, values_field), name)
    array = np.full(shape, values[-1] if values.size else 0, np.dtype(name))
    array.flat[: values.size] = values
    return array


def texts_from_tensor(tensor: Any) -> list[str]:
    """The strings of a `TensorProto`, in order; bytes that are not UTF-8 are replaced."""
    return [text.decode(errors="replace") for text in tensor.string_val]
