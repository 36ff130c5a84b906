"""Files of rooms over HTTP: uploaded by people who may post in the room, downloaded by people who may read it.

No file is run by our origin: browsers show a few kinds of pictures and films, and save every other file."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Path, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tidings.access.access import Access
from tidings.access.limits import rule
from tidings.access.subject import Subject
from tidings.delivery.foreign_servers import close_connection, hush_unfinished
from tidings.errors import TidingsError, TooLarge, TooManyRequests
from tidings.http import ranges
from tidings.http.openapi import problems, shape
from tidings.http.request import address, strict
from tidings.http.response import json_response

from .facts import File
from .files import MAX_NAME, valid_media_type, valid_name
from .rooms import PREFIX, Rooms, person
from .routes import RoomId
from .rules import FILE

log: logging.Logger = logging.getLogger("tidings.files")

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")
"""Media types of pictures that a browser may show in a page, because it runs no script in them."""

FILMS = ("video/mp4", "video/webm")
"""Media types of films that a browser may play, for the same reason."""

RETRY = 3600
"""Seconds after which an upload that was over the limit of kept bytes may be tried again: until then, uploads that
broke off have expired."""

SAVED = "application/octet-stream"

FIXED = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, max-age=31536000, immutable",
    "accept-ranges": "bytes",
}

BINARY = {"schema": {"type": "string", "format": "binary"}}
BODY = dict.fromkeys((*PICTURES, *FILMS, SAVED), BINARY)


def routes(rooms: Rooms, access: Access, max_file: int) -> APIRouter:
    """The router of files."""
    # An upload is counted in `body`, which says that it is a file that is too large.
    router = APIRouter(tags=["rooms"], route_class=strict(access, 2 * max_file))

    async def check_kept(subject: Subject, by: str, more: int) -> None:
        """Raise TooManyRequests if the person's files and `more` bytes are over the person's limit."""
        most = access.limits.most(subject, "kept_bytes")
        if most and (kept := await rooms.files.kept(by)) + more > most:
            detail = (
                f"{rule('kept_bytes', most)} Your files take {kept:,}. Delete messages with files, and upload again."
            )
            raise TooManyRequests(detail, limit=most, retry_after=RETRY)

    @router.post(
        "/rooms/{room}/files",
        summary="Upload a file",
        status_code=201,
        description="The body is the file, and the Content-Type the file's. Name the id in the `files` of a message "
        "within a day: the file is there as long as that.",
        responses={201: shape(File, "Stored."), **problems(404, 409, 413)},
        openapi_extra={"requestBody": {"required": True, "content": {SAVED: BINARY}}},
    )
    async def upload(
        request: Request,
        room: RoomId,
        name: Annotated[str, Query(min_length=1, max_length=MAX_NAME, examples=["plan.pdf"])],
    ) -> Response:
        topic = PREFIX + room
        subject = await access.publisher(request.scope["headers"], topic)
        by = person(subject)
        await rooms.check_may_post(topic, by)
        type = valid_media_type(request.headers.get("content-type", ""))
        valid_name(name)
        size = announced(request, max_file)
        await check_kept(subject, by, size or 0)
        access.limits.spend(subject, "uploads")
        with access.limits.up_to(subject, "upload_bytes", max_file if size is None else size) as came:
            file = await rooms.files.store(room, by, name, type, body(request, max_file, came))
        try:
            # Again, with this file and with those that came meanwhile.
            await check_kept(subject, by, 0)
        except TidingsError:
            await rooms.files.delete(room, file.id)
            raise
        return json_response(file, 201, {"location": address(request, f"/rooms/{room}/files/{file.id}")})

    @router.get(
        "/rooms/{room}/files/{file}",
        summary="Download a file",
        response_class=Response,
        responses={
            200: {"description": "The file", "content": BODY},
            206: {"description": "The part of the file that `Range` names", "content": BODY},
            304: {"description": "You have the file."},
            **problems(404, 416),
        },
        openapi_extra={"parameters": ranges.PARAMETERS},
    )
    async def download(
        request: Request, room: RoomId, file: Annotated[str, Path(json_schema_extra={"pattern": f"^{FILE.pattern}$"})]
    ) -> Response:
        await access.reader(request.scope["headers"], PREFIX + room)
        whole = await rooms.files.whole(room, file)
        headers = {**FIXED, "etag": f'"{whole.sha256}"'}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        size = whole.file.size
        part = ranges.part_of(request.headers, size, headers["etag"])
        start, end = part or (0, size)
        if part is not None:
            headers["content-range"] = part.content_range(size)
        headers["content-length"] = str(end - start)
        shown = whole.file.type in (*PICTURES, *FILMS)
        name = f"filename*=UTF-8''{quote(whole.file.name, safe='')}"
        headers["content-disposition"] = f"{'inline' if shown else 'attachment'}; {name}"
        return Download(
            rooms.files.content(whole, start, end),
            status_code=206 if part else 200,
            headers=headers,
            media_type=whole.file.type if shown else SAVED,
        )

    return router


class Download(StreamingResponse):
    """The bytes of a file. If the file is deleted meanwhile, the connection is closed before the end of the body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except TidingsError as error:
            log.info("A download was cut: %s", error)
            if close_connection(scope, chunked=False):
                while (await receive())["type"] != "http.disconnect":
                    pass
            else:
                hush_unfinished()


def announced(request: Request, most: int) -> int | None:
    """Return the bytes that a file has by its Content-Length, at most `most`; None without one."""
    length = request.headers.get("content-length", "")
    return min(int(length), most) if length.isdecimal() else None


async def body(request: Request, most: int, came: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """The request's body as it comes, of 1 to `most` bytes. `came` is called with the bytes of each part.

    Raises TooLarge, without reading on; ClientDisconnect.
    """
    announced, size = request.headers.get("content-length", ""), 0
    if not (announced.isdecimal() and int(announced) > most):
        async for part in request.stream():
            size += len(part)
            came(len(part))
            if size > most:
                break
            yield part
        else:
            if not size:
                raise HTTPException(422, "A file has at least one byte.")
            return
    raise TooLarge(f"A file is at most {most:,} bytes.", limit=most)
