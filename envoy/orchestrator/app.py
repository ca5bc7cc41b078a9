"""AI Orchestrator in miniature: the endpoints of 003_2fa7766864bfebd3.txt, without its model and its sandbox.

    pip install fastapi uvicorn pyjwt bcrypt
    ORCHESTRATOR_SECRET_KEY=… uvicorn app:app --host 127.0.0.1 --port 8000

What is an app's own is here: accounts, tokens, which command a role may run, its audit log. A command is
parsed and judged, and then not run. Who may come in, how often and with what is Envoy's and Vigile's, before
it; they tell it who is asking in X-User-Id and X-User-Role.
"""

import os
import shlex
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

import bcrypt
import jwt
from fastapi import FastAPI, Header, HTTPException, Response
from fastapi.responses import HTMLResponse
from pydantic import UUID4, BaseModel, field_validator

# The secret that Envoy has too. `vigile key` makes one.
SECRET = os.environ["ORCHESTRATOR_SECRET_KEY"]
if len(SECRET) < 64:
    raise SystemExit("ORCHESTRATOR_SECRET_KEY: 64 characters at least")
LASTS = timedelta(minutes=int(os.environ.get("ACCESS_TOKEN_EXPIRE_MINUTES", "1440")))
ROUNDS = int(os.environ.get("BCRYPT_ROUNDS", "12"))

# What `execute_command` may run, by role. Each role has what stands before it too.
COMMANDS = {
    "viewer": ["ls", "cat", "grep", "git status", "docker ps", "df"],
    "operator": ["systemctl restart", "docker restart", "git pull"],
    "admin": ["apt update", "chmod", "docker build"],
}
ROLES = list(COMMANDS)
TOOLS = {
    "viewer": ["systemd_status", "systemd_logs", "network_listeners", "disk_usage", "execute_command"],
    "operator": ["docker_list_containers", "docker_logs"],
    "admin": ["systemd_restart", "docker_restart", "apt_update", "apt_install", "write_file"],
}

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
accounts: dict[str, "Account"] = {}
audit: list[dict] = []
UserId = Annotated[str, Header(alias="x-user-id")]
UserRole = Annotated[str, Header(alias="x-user-role")]
Justification = Annotated[str | None, Header(alias="x-justification")]


class Account(BaseModel):
    username: str
    password: bytes
    role: str


class Login(BaseModel):
    username: str
    password: str


class Registration(Login):
    @field_validator("password")
    @classmethod
    def is_strong(cls, password: str) -> str:
        """The document's table: eight characters, and one at least of each kind."""
        kinds = [str.isupper, str.islower, str.isdigit, lambda letter: not letter.isalnum()]
        if len(password) < 8 or not all(any(map(kind, password)) for kind in kinds):
            raise ValueError("8 characters, an upper and a lower case letter, a digit, and another character")
        return password


class ChatRequest(BaseModel):
    message: str
    conversation_id: UUID4 | None = None
    model: str | None = None


class Execution(BaseModel):
    command: str | None = None
    params: dict = {}


class Role(BaseModel):
    role: str


def secret(password: str) -> bytes:
    return password.encode()[:72]  # bcrypt reads no more


def add(username: str, password: str, role: str) -> None:
    hashed = bcrypt.hashpw(secret(password), bcrypt.gensalt(ROUNDS))
    accounts[username] = Account(username=username, password=hashed, role=role)


# Somebody must be the first. Without the variable there is nobody but those who register.
if first := os.environ.get("ORCHESTRATOR_ADMIN_PASSWORD"):
    add("admin", first, "admin")
# For a name that nobody has: so that it takes as long to refuse.
NOBODY = bcrypt.hashpw(uuid.uuid4().bytes, bcrypt.gensalt(ROUNDS))


def session(account: Account, response: Response) -> dict:
    """A cookie that no script reads. `__Host-` binds it to this host, over TLS."""
    now = datetime.now(UTC)
    claims = {
        "iss": "orchestrator",
        "moduleName": "orchestrator",
        "sub": account.username,
        "role": account.role,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + LASTS,
    }
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    response.set_cookie(
        "__Host-token",
        token,
        max_age=int(LASTS.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return {"user_id": account.username, "role": account.role, "expires_in": int(LASTS.total_seconds())}


def record(user: str, role: str, command: list[str], allowed: bool, reason: str) -> None:
    audit.append(
        {
            "timestamp": datetime.now(UTC).isoformat(),
            "user": user,
            "role": role,
            "command": command,
            "allowed": allowed,
            "reason": reason,
        }
    )


@app.get("/", response_class=HTMLResponse)
def page() -> str:
    return "<!doctype html><title>AI Orchestrator</title><h1>AI Orchestrator v7</h1>"


@app.get("/health")
def health() -> dict:
    return {"status": "healthy", "version": "7.0"}


@app.post("/api/v1/auth/register", status_code=201)
def register(who: Registration) -> dict:
    if who.username in accounts:
        raise HTTPException(409, "This name is taken")
    add(who.username, who.password, "viewer")
    return {"user_id": who.username, "role": "viewer"}


@app.post("/api/v1/auth/login")
def login(who: Login, response: Response) -> dict:
    account = accounts.get(who.username)
    good = bcrypt.checkpw(secret(who.password), account.password if account else NOBODY)
    if account is None or not good:
        raise HTTPException(401, "Incorrect username or password")
    return session(account, response)


@app.post("/api/v1/auth/refresh")
def refresh(response: Response, user: UserId) -> dict:
    """A new token before the old one ends, with the role of today."""
    account = accounts.get(user)
    if account is None:
        raise HTTPException(401, "This account is gone")
    return session(account, response)


@app.post("/api/v1/chat")
def chat(what: ChatRequest, user: UserId) -> dict:
    return {
        "response": f"You said: {what.message.strip()}",
        "conversation_id": what.conversation_id or uuid.uuid4(),
        "user_id": user,
    }


@app.get("/api/v1/tools")
def tools(role: UserRole) -> list[str]:
    return [tool for one in ROLES[: ROLES.index(role) + 1] for tool in TOOLS[one]]


@app.post("/api/v1/tools/execute_command/execute")
def execute_command(what: Execution, user: UserId, role: UserRole, why: Justification = None) -> dict:
    argv = shlex.split(what.command or "")
    starts = lambda allowed: argv[: len(allowed.split())] == allowed.split()  # noqa: E731
    needed = next((one for one in ROLES if any(map(starts, COMMANDS[one]))), None)
    if needed is None or ROLES.index(role) < ROLES.index(needed):
        record(user, role, argv, False, "not a command of this role")
        raise HTTPException(403, "This role may not run this command")
    if needed == "admin" and not why:
        record(user, role, argv, False, "no justification")
        raise HTTPException(428, "X-Justification is required")
    record(user, role, argv, True, why or "a command of this role")
    return {"success": True, "argv": argv, "role": role}


@app.post("/api/v1/tools/{tool}/execute")
def execute(tool: str, what: Execution, user: UserId, role: UserRole, why: Justification = None) -> dict:
    record(user, role, [tool], True, why or "a tool of this role")
    return {"success": True, "tool": tool, "role": role}


@app.post("/api/v1/actions/{action}/rollback")
def rollback(action: str, user: UserId, role: UserRole, why: Justification) -> dict:
    record(user, role, ["rollback", action], True, why)
    return {"success": True, "action_id": action}


@app.get("/api/v1/audit")
def get_audit_log(last_n: int = 20) -> dict:
    return {"entries": audit[-last_n:]}


@app.get("/api/v1/admin/users")
def users() -> list[dict]:
    return [{"user_id": one.username, "role": one.role} for one in accounts.values()]


@app.put("/api/v1/admin/users/{username}")
def change(username: str, what: Role) -> dict:
    if what.role not in ROLES:
        raise HTTPException(422, "No such role")
    if username not in accounts:
        raise HTTPException(404, "No such account")
    accounts[username].role = what.role
    return {"user_id": username, "role": what.role}


@app.delete("/api/v1/admin/users/{username}", status_code=204)
def remove(username: str) -> None:
    if accounts.pop(username, None) is None:
        raise HTTPException(404, "No such account")
