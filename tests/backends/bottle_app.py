"""Bottle, which drops bytes of a path that are no UTF-8."""

import sys

import bottle

app = bottle.Bottle()


@app.route("/admin/<rest:path>")
def admin(rest):
    return "admin"


@app.route("/settings")
def settings():
    return "settings"


@app.route("/members")
def members():
    return "members"


@app.post("/items/<item>")
def changed(item):
    return "changed"


@app.delete("/items/<item>")
def deleted(item):
    return "deleted"


@app.route("/")
@app.route("/<rest:path>", method=["GET", "POST", "DELETE"])
def rest(rest=""):
    return "open"


if __name__ == "__main__":
    bottle.run(app, host="127.0.0.1", port=int(sys.argv[1]), quiet=True)
