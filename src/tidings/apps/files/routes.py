"""Files over HTTP: uploaded by people who may write in the room or the conversation, downloaded by its readers.

No file is run by our origin: browsers show a few kinds of pictures and films, and save every other file."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Path, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tidings.access.access import Access
from tidings.access.limits import rule
from tidings.access.subject import Subject
from tidings.apps.file import FILMS, ID, MAX_NAME, PICTURES, File, valid_media_type, valid_name
from tidings.delivery.foreign_servers import close_connection, hush_unfinished
from tidings.errors import TidingsError, TooLarge, TooManyRequests
from tidings.http import ranges
from tidings.http.openapi import problems, shape
from tidings.http.request import address, strict
from tidings.http.response import json_response

from .files import Files, Whole

log: logging.Logger = logging.getLogger("tidings.files")

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


Right = Callable[[Subject, str], Awaitable[None]]
"""Raises Forbidden, NotFound, Conflict or InvalidRequest unless the subject, who has a name then, may upload a file to
the topic."""

PlaceId = Annotated[
    str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="The id of the room or conversation.", examples=["lobby"])
]
FileId = Annotated[str, Path(json_schema_extra={"pattern": f"^{ID.pattern}$"})]
Name = Annotated[str, Query(min_length=1, max_length=MAX_NAME, examples=["plan.pdf"])]


def routes(files: Files, access: Access, max_file: int, rights: Mapping[str, Right]) -> APIRouter:
    """The router of files. `rights`: by the first segment of the topics that have files, who may upload."""
    # An upload is counted in `body`, which says that it is a file that is too large.
    router = APIRouter(tags=["files"], route_class=strict(access, 2 * max_file))
    for kind, right in rights.items():
        serve(router, files, access, max_file, kind, right)
    return router


def serve(router: APIRouter, files: Files, access: Access, max_file: int, kind: str, right: Right) -> None:
    """Add the routes for the files of the topics `KIND.ID`."""
    one = kind.removesuffix("s")

    async def check_kept(subject: Subject, more: int) -> None:
        """Raise TooManyRequests if the person's files and `more` bytes are over the person's limit."""
        most = access.limits.most(subject, "kept_bytes")
        if most and (kept := await files.kept(subject.name or "")) + more > most:
            detail = (
                f"{rule('kept_bytes', most)} Your files take {kept:,}. Delete messages with files, and upload again."
            )
            raise TooManyRequests(detail, limit=most, retry_after=RETRY)

    @router.post(
        f"/{kind}/{{id}}/files",
        summary=f"Upload a file to a {one}",
        status_code=201,
        description="The body is the content of the file, and the Content-Type its media type. Name the id in the "
        "`files` of a message within a day. The file then lives as long as the message.",
        responses={201: shape(File, "Stored."), **problems(404, 409, 413)},
        openapi_extra={"requestBody": {"required": True, "content": {SAVED: BINARY}}},
    )
    async def upload(request: Request, id: PlaceId, name: Name) -> Response:
        topic = f"{kind}.{id}"
        subject = await access.publisher(request.scope["headers"], topic)
        await right(subject, topic)
        by = subject.name or ""
        type = valid_media_type(request.headers.get("content-type", ""))
        valid_name(name)
        size = announced(request, max_file)
        await check_kept(subject, size or 0)
        access.limits.spend(subject, "uploads")
        with access.limits.up_to(subject, "upload_bytes", max_file if size is None else size) as came:
            file = await files.store(topic, by, name, type, body(request, max_file, came))
        try:
            # Again, with this file and with those that came meanwhile.
            await check_kept(subject, 0)
        except TidingsError:
            await files.delete(topic, file.id)
            raise
        return json_response(file, 201, {"location": address(request, f"/{kind}/{id}/files/{file.id}")})

    @router.get(
        f"/{kind}/{{id}}/files/{{file}}",
        summary=f"Download a file of a {one}",
        response_class=Response,
        responses={
            200: {"description": "The file", "content": BODY},
            206: {"description": "The part of the file that `Range` names", "content": BODY},
            304: {"description": "You have the file."},
            **problems(404, 416),
        },
        openapi_extra={"parameters": ranges.PARAMETERS},
    )
    async def download(request: Request, id: PlaceId, file: FileId) -> Response:
        topic = f"{kind}.{id}"
        await access.reader(request.scope["headers"], topic)
        return answer(request, files, await files.whole(topic, file))


def answer(request: Request, files: Files, whole: Whole) -> Response:
    """Answer with a file, with the part that the request asks for, or with 304 for a file that the client has.

    Raises HTTPException with status 416.
    """
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
        files.content(whole, start, end),
        status_code=206 if part else 200,
        headers=headers,
        media_type=whole.file.type if shown else SAVED,
    )


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
