"""aiohttp, which matches segments before it decodes them."""

import sys

from aiohttp import web


def word(text):
    async def answer(_):
        return web.Response(text=text)

    return answer


app = web.Application()
app.router.add_get("/admin/{rest:.*}", word("admin"))
app.router.add_get("/settings", word("settings"))
app.router.add_get("/members", word("members"))
app.router.add_post("/items/{item}", word("changed"))
app.router.add_delete("/items/{item}", word("deleted"))
app.router.add_route("*", "/{rest:.*}", word("open"))

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
