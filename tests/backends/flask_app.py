"""Flask behind the usual snippet for an app under a prefix, and behind Werkzeug's ProxyFix."""

import sys

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import WSGIRequestHandler, run_simple

app = Flask(__name__)


@app.route("/admin/<path:rest>")
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


@app.route("/", defaults={"rest": ""}, methods=["GET", "POST", "DELETE"])
@app.route("/<path:rest>", methods=["GET", "POST", "DELETE"])
def rest(rest):
    return "open"


class Prefix:
    """The app lives under the prefix that the proxy names in X-Script-Name."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, environ, start_response):
        prefix = environ.get("HTTP_X_SCRIPT_NAME", "")
        if prefix and environ["PATH_INFO"].startswith(prefix):
            environ["SCRIPT_NAME"] = prefix
            environ["PATH_INFO"] = environ["PATH_INFO"][len(prefix):]
        return self.inner(environ, start_response)


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


if __name__ == "__main__":
    prefixed = Prefix(ProxyFix(app.wsgi_app, x_prefix=1))
    run_simple("127.0.0.1", int(sys.argv[1]), prefixed, request_handler=Quiet, threaded=True)
