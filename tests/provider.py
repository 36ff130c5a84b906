"""An OpenID Connect provider on loopback, with keys of its own, to sign in with; and to be told to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.serving import PATIENCE

CLIENT, SECRET = "tidings", "what-the-provider-and-tidings-know"


class Provider:
    """A context manager: the provider answers at `url` within. Everyone who comes is signed in as `claims` say.

    `lie` is laid over the claims of its ID tokens (None: leave the claim out); `about`, where it is not empty, is what
    it tells only when asked (userinfo); `sign_with` is its key; `denies` answers with that error; `broken` answers each
    token request with this status. `redeemed` counts the codes that were given for tokens.
    """

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.reset()
        self.url = ""
        routes = [
            Route("/.well-known/openid-configuration", self.discovery),
            Route("/jwks", self.jwks),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
            Route("/userinfo", self.userinfo),
        ]
        self._server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="warning", lifespan="off"))

    def reset(self) -> None:
        """Make the provider answer honestly again."""
        self.claims: dict[str, Any] = {"sub": "account-1", "name": "Mara Lindqvist", "preferred_username": "mara"}
        self.lie: dict[str, Any] = {}
        self.about: dict[str, Any] = {}
        self.sign_with: Any = self.key
        self.algorithm = "RS256"
        self.denies = ""
        self.broken = 0
        self.silent = False
        self.described = 0
        self.methods = ["client_secret_basic"]
        self.asked = self.redeemed = 0
        self._codes: dict[str, Mapping[str, str]] = {}
        self._tokens: set[str] = set()

    async def discovery(self, request: Request) -> Response:
        self.described += 1
        if self.silent:
            return Response(status_code=503)
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/jwks",
                "token_endpoint_auth_methods_supported": self.methods,
            }
        )

    async def jwks(self, request: Request) -> Response:
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return JSONResponse({"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]})

    async def authorize(self, request: Request) -> Response:
        asked = request.query_params
        answer = {"state": asked["state"], "iss": self.url}
        if self.denies:
            answer["error"] = self.denies
        else:
            answer["code"] = secrets.token_urlsafe()
            self._codes[answer["code"]] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    async def token(self, request: Request) -> Response:
        self.asked += 1
        if self.broken:
            return Response("<h1>Out of order</h1>", self.broken)
        form = dict(parse_qsl((await request.body()).decode()))
        asked = self._codes.pop(form.get("code", ""), None)  # a code is good once
        if asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if not self._knows(request, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if asked["code_challenge_method"] != "S256" or challenge.rstrip(b"=").decode() != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.redeemed += 1
        access = secrets.token_urlsafe()
        self._tokens.add(access)
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": 60}
        return JSONResponse({**answer, "id_token": self._id_token(asked["nonce"])})

    def _knows(self, request: Request, form: Mapping[str, str]) -> bool:
        """Check the client's secret in the only way that this provider takes it."""
        if self.methods == ["client_secret_post"]:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {basic}"

    def _id_token(self, nonce: str) -> str:
        claims = {"iss": self.url, "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 60, "nonce": nonce}
        told = {"sub": self.claims["sub"]} if self.about else self.claims
        claims = {name: value for name, value in {**claims, **told, **self.lie}.items() if value is not None}
        # As bytes, since PyJWT would not write some of the lies.
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.sign_with, self.algorithm, {"kid": "one"})

    async def userinfo(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return JSONResponse(self.about or self.claims) if token in self._tokens else Response(status_code=401)

    def __enter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, args=([listening],), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
