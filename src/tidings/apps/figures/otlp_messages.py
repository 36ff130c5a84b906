"""PURE: the messages of OpenTelemetry's protocol over HTTP, as Protocol Buffers and as JSON."""

from __future__ import annotations

import json
import zlib
from typing import Any, Literal

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from tidings.errors import InvalidRequest, TooLarge
from tidings.events import check_nesting, outside_texts

Encoding = Literal["application/x-protobuf", "application/json"]

LARGEST = 4 << 20
"""Bytes of a body, also of one that is unpacked. A body of empty messages takes 30 times its size in memory, and 15 ms
for each megabyte to read, for which the event loop waits."""

FREE, RATIO = 1 << 18, 100
"""Bytes that any body may unpack to, and how many times its own size beyond that. Metrics have been seen at 20 times; a
run of zeros has 1,030 times."""

VALUES = 100_000
"""Values of a JSON body. Python takes 2 µs for each."""


def unpacked(body: bytes) -> bytes:
    """Return what a gzip body holds. Raises TooLarge or InvalidRequest."""
    member = zlib.decompressobj(wbits=31)
    most = min(LARGEST, max(FREE, RATIO * len(body)))
    try:
        made = member.decompress(body, most + 1)
    except zlib.error:
        raise InvalidRequest("The body is not gzip, or it is damaged.") from None
    if len(made) > most:
        raise TooLarge(f"A body unpacks to at most {LARGEST:,} bytes, and to at most {RATIO} times its size.")
    if not member.eof or member.unused_data:
        raise InvalidRequest("The gzip body is cut off, or has something after its end.")
    return made


def read_request(body: bytes, encoding: Encoding) -> ExportMetricsServiceRequest:
    """Return the request that a body holds. Raises InvalidRequest or TooLarge."""
    if encoding == "application/json":
        return _read_json(body)
    try:
        request: ExportMetricsServiceRequest = ExportMetricsServiceRequest.FromString(body)
    except DecodeError:
        raise InvalidRequest("The body is not an ExportMetricsServiceRequest of Protocol Buffers.") from None
    return request


def _read_json(body: bytes) -> ExportMetricsServiceRequest:
    try:
        text = body.decode()
        check_nesting(text)
        if _begun(body) > VALUES and _begun(outside_texts(body)) > VALUES:
            raise TooLarge(f"A JSON body has at most {VALUES:,} values.")
        value = json.loads(text)
        _check_objects(value, ExportMetricsServiceRequest.DESCRIPTOR, "The body")
        request: ExportMetricsServiceRequest = json_format.ParseDict(
            value, ExportMetricsServiceRequest(), ignore_unknown_fields=True
        )
    except InvalidRequest:
        raise
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8: byte {error.start} cannot be read.") from None
    except RecursionError as error:
        raise InvalidRequest(f"{error}.") from None
    except json.JSONDecodeError as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from None
    except (json_format.ParseError, ValueError, TypeError, AttributeError) as error:  # the parser trusts the types
        raise InvalidRequest(f"The body is not an ExportMetricsServiceRequest: {str(error)[:200]}.") from None
    return request


def _check_objects(value: Any, descriptor: Any, name: str) -> None:
    """Raise InvalidRequest for a message that is no object, in which the parser would see unknown members alone."""
    if not isinstance(value, dict):
        raise InvalidRequest(f"The body is not an ExportMetricsServiceRequest: {name} is no object.")
    for key, part in value.items():
        field = descriptor.fields_by_camelcase_name.get(key)
        if field is not None and field.message_type is not None and part is not None:
            for each in part if isinstance(part, list) else [part]:
                _check_objects(each, field.message_type, f"`{key}`")


def _begun(text: bytes) -> int:
    return sum(map(text.count, (b",", b"[", b"{")))


def write_response(rejected: int, reason: str, encoding: Encoding) -> bytes:
    """Return the answer to a request of which `rejected` points were refused for a reason."""
    response = ExportMetricsServiceResponse()
    if rejected:
        response.partial_success.rejected_data_points = rejected
        response.partial_success.error_message = reason
    if encoding == "application/json":
        return str(json_format.MessageToJson(response, indent=None)).encode()
    return bytes(response.SerializeToString())
