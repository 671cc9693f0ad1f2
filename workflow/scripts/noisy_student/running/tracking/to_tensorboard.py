"""TensorBoard's files: one a training, to which points are added, and which never has half a record or a step twice.

The format is TFRecord: length, its checksum, an `Event`, its checksum
(https://www.tensorflow.org/tutorials/load_data/tfrecord).
"""

import io
import os
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData
from tensorboard.summary.writer.record_writer import RecordWriter

from noisy_student.running.tracking.tracked import Point, Tracked, flat

NAME = "events.out.tfevents.{}.noisy_student"
HEADER, CHECKSUM = 12, 4
# Values are single precision there.
RELATIVE = 1e-6


def give(one: Tracked, place: Path) -> None:
    """Bring the files of a training, or of the scores, up to date in the folder `place`."""
    folder = place / one.experiment / one.label.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    path = next(iter(sorted(folder.glob(NAME.format("*")))), folder / NAME.format(int(time.time())))
    length, events = whole_events(path)
    there, texts = _there(events)
    added = [] if events else [Event(wall_time=time.time(), file_version="brain.Event:2")]
    added += [_text(name, text) for name, text in _texts(one).items() if texts.get(name) != text]
    added += _points(one.curves, there)
    if added or length < (path.stat().st_size if path.exists() else 0):
        buffer = io.BytesIO()
        writer = RecordWriter(buffer)
        for event in added:
            writer.write(event.SerializeToString())
        with path.open("r+b" if path.exists() else "xb") as stream:
            stream.truncate(length)
            stream.seek(length)
            stream.write(buffer.getvalue())
            stream.flush()
            os.fsync(stream.fileno())


def whole_events(path: Path) -> tuple[int, list[Event]]:
    """How many bytes of a file are whole records, and the events in them; a killed writer leaves half a record."""
    content = path.read_bytes() if path.exists() else b""
    end, events = 0, []
    for start, data in _records(content):
        try:
            events.append(Event.FromString(data))
        except Exception:
            break
        end = start + HEADER + len(data) + CHECKSUM
    return end, events


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start + HEADER <= len(content):
        (length,) = struct.unpack_from("<Q", content, start)
        end = start + HEADER + length + CHECKSUM
        if end > len(content):
            return
        yield start, content[start + HEADER : end - CHECKSUM]
        start = end


def _there(events: list[Event]) -> tuple[dict[tuple[str, int], float], dict[str, str]]:
    """The value of each curve at each step, and each text, as TensorBoard would show them."""
    values: dict[tuple[str, int], float] = {}
    texts: dict[str, str] = {}
    for event in events:
        if event.session_log.status == SessionLog.START:
            values = {key: value for key, value in values.items() if key[1] < event.step}
        for one in event.summary.value:
            if one.HasField("tensor"):
                texts[one.tag] = one.tensor.string_val[0].decode()
            else:
                values[one.tag, event.step] = one.simple_value
    return values, texts


def _points(curves: Mapping[str, list[Point]], there: Mapping[tuple[str, int], float]) -> Iterator[Event]:
    """Points that are not there; a step that was made anew, and those after it, replace what is there of them."""
    made = [(point.step, name, point) for name, points in curves.items() for point in points]
    anew = [step for step, name, point in made if not _is_same(point.value, there.get((name, step), point.value))]
    first = min(anew, default=None)
    if first is not None:
        yield Event(wall_time=time.time(), step=first, session_log=SessionLog(status=SessionLog.START))
    for step, name, point in sorted(made, key=lambda item: item[:2]):
        if (name, step) not in there or (first is not None and step >= first):
            value = Summary.Value(tag=name, simple_value=point.value)
            yield Event(wall_time=point.at, step=step, summary=Summary(value=[value]))


def _is_same(one: float, other: float) -> bool:
    return abs(one - other) <= RELATIVE * max(abs(one), abs(other))


def _texts(one: Tracked) -> dict[str, str]:
    """Settings and artefacts as tables in Markdown."""
    tables = {"settings": flat(one.settings), "artefacts": one.artefacts}
    return {
        name: "\n".join(["| | |", "|---|---|", *(f"| {key} | `{value}` |" for key, value in table.items())])
        for name, table in tables.items()
        if table
    }


def _text(name: str, text: str) -> Event:
    content = TextPluginData(version=0).SerializeToString()
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text", content=content))
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    tensor = TensorProto(dtype=DT_STRING, string_val=[text.encode()], tensor_shape=shape)
    return Event(
        wall_time=time.time(), summary=Summary(value=[Summary.Value(tag=name, metadata=metadata, tensor=tensor)])
    )
