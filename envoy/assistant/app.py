"""Jarvis in miniature: the endpoints of 002_17c4e40779f78fc3.txt, without its model.

    pip install fastapi uvicorn websockets pyjwt bcrypt python-multipart prometheus-client
    JARVIS_SECRET_KEY=… uvicorn app:app --host 127.0.0.1 --port 8000

What is an app's own is here: accounts, passwords, and the tokens that it signs at login. Who may come in,
how often and with what is Envoy's and Vigile's, before it; they tell it who is asking in X-User-Id.
"""

import asyncio
import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

import bcrypt
import jwt
from fastapi import FastAPI, Form, Header, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel, Field

# The secret that Envoy has too. `vigile key` makes one.
SECRET = os.environ["JARVIS_SECRET_KEY"]
ACCESS = timedelta(minutes=int(os.environ.get("ACCESS_TOKEN_EXPIRE_MINUTES", "30")))
REFRESH = timedelta(days=int(os.environ.get("REFRESH_TOKEN_EXPIRE_DAYS", "7")))
ROUNDS = int(os.environ.get("BCRYPT_ROUNDS", "12"))
SECONDS_PER_ANSWER = float(os.environ.get("SECONDS_PER_ANSWER", "0"))

REQUESTS = Counter("jarvis_requests_total", "Total requests", ["method", "endpoint"])
LATENCY = Histogram("jarvis_request_duration_seconds", "Request latency")
ACTIVE = Gauge("jarvis_active_users", "Chats that are being answered")

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
accounts: dict[str, "Account"] = {}
CallerId = Annotated[str | None, Header(alias="x-user-id")]


class Account(BaseModel):
    username: str
    password: bytes
    roles: list[str]


class Login(BaseModel):
    username: str
    password: str


class Registration(Login):
    password: str = Field(min_length=12)


class ChatMessage(BaseModel):
    message: str


class Roles(BaseModel):
    roles: list[str]


def secret(password: str) -> bytes:
    return password.encode()[:72]  # bcrypt reads no more


def add(username: str, password: str, roles: list[str]) -> None:
    hashed = bcrypt.hashpw(secret(password), bcrypt.gensalt(ROUNDS))
    accounts[username] = Account(username=username, password=hashed, roles=roles)


# Somebody must be the first. Without the variable there is nobody but those who register.
if first := os.environ.get("ASSISTANT_SUPERUSER_PASSWORD"):
    add("superuser", first, ["superuser"])
# For a name that nobody has: so that it takes as long to refuse.
NOBODY = bcrypt.hashpw(uuid.uuid4().bytes, bcrypt.gensalt(ROUNDS))


def authenticated(username: str, password: str) -> Account:
    account = accounts.get(username)
    good = bcrypt.checkpw(secret(password), account.password if account else NOBODY)
    if account is None or not good:
        raise HTTPException(401, "Incorrect username or password")
    return account


def token(account: Account, kind: str, lasts: timedelta) -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": "assistant",
        "moduleName": "assistant",
        "sub": account.username,
        "roles": account.roles,
        "type": kind,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + lasts,
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


def session(account: Account, response: Response) -> dict:
    """Two cookies that no script reads. `__Host-` binds them to this host, over TLS."""
    for name, kind, lasts in [("access_token", "access", ACCESS), ("refresh_token", "refresh", REFRESH)]:
        response.set_cookie(
            f"__Host-{name}",
            token(account, kind, lasts),
            max_age=int(lasts.total_seconds()),
            path="/",
            secure=True,
            httponly=True,
            samesite="lax",
        )
    return {"user_id": account.username, "roles": account.roles, "expires_in": int(ACCESS.total_seconds())}


def known(username: str | None) -> Account:
    account = accounts.get(username or "")
    if account is None:
        raise HTTPException(401, "This account is gone")
    return account


@app.middleware("http")
async def measure(request: Request, call_next):
    started = time.monotonic()
    try:
        return await call_next(request)
    finally:
        # The route's pattern, so that no caller makes new series.
        route = request.scope.get("route")
        REQUESTS.labels(request.method, route.path if route else "none").inc()
        LATENCY.observe(time.monotonic() - started)


@app.get("/health")
def health() -> dict:
    return {"status": "healthy", "version": "1.3.1"}


@app.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@app.post("/auth/register", status_code=201)
def register(who: Registration) -> dict:
    if who.username in accounts:
        raise HTTPException(409, "This name is taken")
    add(who.username, who.password, ["user"])
    return {"user_id": who.username, "roles": ["user"]}


@app.post("/auth/login")
def login(who: Login, response: Response) -> dict:
    return session(authenticated(who.username, who.password), response)


@app.post("/auth/jwt/login")
def bearer_login(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> dict:
    """For programs (004_9c0a55eb9d061ae7.txt): the token itself, and no cookie."""
    account = authenticated(username, password)
    return {"access_token": token(account, "access", ACCESS), "token_type": "bearer"}


@app.post("/auth/refresh")
def refresh(response: Response, caller: CallerId = None) -> dict:
    """New tokens, with the roles of today. Only a refresh token comes this far."""
    return session(known(caller), response)


@app.get("/auth/me")
def me(caller: CallerId = None) -> dict:
    account = accounts.get(caller or "")
    return {"user_id": caller, "roles": account.roles if account else []}


@app.post("/chat")
async def chat(what: ChatMessage, caller: CallerId = None) -> dict:
    with ACTIVE.track_inprogress():
        await asyncio.sleep(SECONDS_PER_ANSWER)
    return {
        "response": f"You said: {what.message}",
        "timestamp": datetime.now(UTC).isoformat(),
        "user_id": caller,
    }


@app.websocket("/ws")
async def converse(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_json({"user_id": socket.headers.get("x-user-id")})
    try:
        while True:
            await socket.send_json({"response": f"You said: {await socket.receive_text()}"})
    except WebSocketDisconnect:
        pass


@app.get("/admin/users")
def users() -> list[dict]:
    return [{"user_id": one.username, "roles": one.roles} for one in accounts.values()]


@app.put("/admin/users/{username}")
def change(username: str, what: Roles) -> dict:
    account = accounts.get(username)
    if account is None:
        raise HTTPException(404, "No such account")
    account.roles = what.roles
    return {"user_id": username, "roles": account.roles}


@app.delete("/admin/users/{username}", status_code=204)
def remove(username: str) -> None:
    if accounts.pop(username, None) is None:
        raise HTTPException(404, "No such account")
