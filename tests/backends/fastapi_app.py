"""FastAPI with a root_path, which Starlette cuts off the path where it stands there."""

import sys

import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI(root_path="/sd", default_response_class=PlainTextResponse)


@app.get("/admin/{rest:path}")
def admin(rest: str):
    return "admin"


@app.get("/settings")
def settings():
    return "settings"


@app.get("/members")
def members():
    return "members"


@app.post("/items/{item}")
def changed(item: str):
    return "changed"


@app.delete("/items/{item}")
def deleted(item: str):
    return "deleted"


@app.api_route("/{rest:path}", methods=["GET", "POST", "DELETE"])
def rest(rest: str):
    return "open"


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
