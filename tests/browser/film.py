"""A film for tests: WebM, of pictures that a browser has drawn, with an index at its end as many films have it."""

from __future__ import annotations

import base64
import struct

from playwright.sync_api import Page

FRAMES = """([count, width, height]) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d", { alpha: false });
    return Array.from({ length: count }, (_, n) => {
        context.fillStyle = `rgb(${n * 12}, ${n * 12}, ${n * 12})`;
        context.fillRect(0, 0, width, height);
        return canvas.toDataURL("image/webp", 0.9).split(",")[1];
    });
}"""
"""Pictures of one colour: picture N has the grey level 12 N."""

VOID = 400_000
"""Bytes without a meaning behind each picture, so that a film is large."""


def film(page: Page, seconds: int, width: int = 480, height: int = 300) -> bytes:
    """Return a film of one picture a second. A picture of the codec VP8 is what a WebP file holds."""
    pictures = [base64.b64decode(text) for text in page.evaluate(FRAMES, [seconds, width, height])]
    info = _element(
        0x1549A966,
        _number(0x2AD7B1, 1_000_000),
        _element(0x4489, struct.pack(">d", seconds * 1000)),
        _element(0x4D80, b"tidings"),
        _element(0x5741, b"tidings"),
    )
    size = _element(0xE0, _number(0xB0, width), _number(0xBA, height))
    track = [_number(0xD7, 1), _number(0x73C5, 1), _number(0x9C, 0), _number(0x83, 1), _element(0x86, b"V_VP8"), size]
    tracks = _element(0x1654AE6B, _element(0xAE, *track))
    clusters = [_cluster(n * 1000, _vp8(picture)) for n, picture in enumerate(pictures)]
    begin = len(_seek_head(0)) + len(info) + len(tracks)
    places = [begin + sum(map(len, clusters[:n])) for n in range(seconds)]
    cues = _element(0x1C53BB6B, *[_cue(n * 1000, place) for n, place in enumerate(places)])
    body = _seek_head(begin + sum(map(len, clusters))) + info + tracks + b"".join(clusters) + cues
    head = _element(
        0x1A45DFA3,
        _number(0x4286, 1),
        _number(0x42F7, 1),
        _number(0x42F2, 4),
        _number(0x42F3, 8),
        _element(0x4282, b"webm"),
        _number(0x4287, 2),
        _number(0x4285, 2),
    )
    return head + _element(0x18538067, body)


def _vp8(webp: bytes) -> bytes:
    """Return the picture in a WebP file."""
    at = webp.index(b"VP8 ")
    return webp[at + 8 : at + 8 + int.from_bytes(webp[at + 4 : at + 8], "little")]


def _cluster(time: int, picture: bytes) -> bytes:
    return _element(
        0x1F43B675, _number(0xE7, time), _element(0xA3, b"\x81\0\0\x80" + picture), _element(0xEC, bytes(VOID))
    )


def _cue(time: int, place: int) -> bytes:
    return _element(0xBB, _number(0xB3, time), _element(0xB7, _number(0xF7, 1), _number(0xF1, place)))


def _seek_head(cues: int) -> bytes:
    """Name the place of the index, in a fixed number of bytes."""
    return _element(0x114D9B74, _element(0x4DBB, _element(0x53AB, b"\x1c\x53\xbb\x6b"), _number(0x53AC, cues)))


def _number(id: int, value: int) -> bytes:
    return _element(id, value.to_bytes(8, "big"))


def _element(id: int, *content: bytes) -> bytes:
    data = b"".join(content)
    return id.to_bytes((id.bit_length() + 7) // 8, "big") + (1 << 56 | len(data)).to_bytes(8, "big") + data
