"""Problem documents for what goes wrong outside the routes: wrong parameters, unknown paths, errors of ours."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from tidings.delivery.response import problem_response
from tidings.errors import TidingsError
from tidings.events import shown

from .openapi import methods_at
from .response import json_response

PROBLEM = {"content-type": "application/problem+json"}

ERRORS = 5
"""Errors that an answer lists. A body of 80,000 unknown fields had an answer of 5 MB, which took 1.1 s to write."""

LONGEST = 200
"""Characters of an error's place and of its message."""


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem document."""
    app.add_exception_handler(TidingsError, problem_response)
    app.add_exception_handler(RequestValidationError, invalid_parameters)
    app.add_exception_handler(HTTPException, http_problem)
    app.add_exception_handler(ClientDisconnect, client_left)
    app.add_exception_handler(Exception, internal_error)


async def invalid_parameters(request: Request, error: Exception) -> Response:
    """Answer a parameter or a body of the wrong type: names the place and the fault of the first few errors."""
    assert isinstance(error, RequestValidationError)
    places = [
        {"at": ".".join(map(str, e["loc"]))[:LONGEST], "message": str(e["msg"])[:LONGEST]}
        for e in error.errors()[:ERRORS]
    ]
    return unprocessable(places or [{"at": "request", "message": "not valid"}])


def unprocessable(places: list[dict[str, str]]) -> Response:
    """Answer with status 422 for errors at these places."""
    detail = f"{places[0]['at']}: {places[0]['message']}."
    return json_response({"title": "Invalid request", "status": 422, "detail": detail, "errors": places}, 422, PROBLEM)


async def http_problem(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown path, a method that a path does not take, a body over its limit."""
    assert isinstance(error, HTTPException)
    status, path = error.status_code, shown(request.url.path)
    headers = {**(error.headers or {}), **PROBLEM}
    detail = error.detail
    if status in (404, 405):
        # The router knows the methods of one of its routes only, but a path may have several routes.
        known = {method.strip() for method in headers.pop("Allow", "").split(",")}
        below = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        # FastAPI makes the document at first need, which takes 0.1 s: not on the event loop.
        document = request.app.openapi_schema or await asyncio.to_thread(request.app.openapi)
        methods = sorted(filter(None, known | methods_at(document["paths"], below)))
        status = 405 if methods else 404
        detail = f"There is nothing at {path}."
        if methods:
            headers["allow"] = ", ".join(methods)
            detail = f"{path} does not take {shown(request.method)}, but {headers['allow']}."
    value = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return json_response(value, status, headers)


async def client_left(request: Request, error: Exception) -> Response:
    """Answer nobody: the client went away in the middle of its request, which was not carried out."""
    return Response(status_code=400)


async def internal_error(request: Request, error: Exception) -> Response:
    """Answer an error of ours. The log has the traceback; the client learns only that the fault is here."""
    value = {"title": "Internal error", "status": 500, "detail": "Something went wrong here. The log says what."}
    return json_response(value, 500, PROBLEM)
