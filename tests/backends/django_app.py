"""Django, with a route that ignores letter case, and Django REST Framework, with suffixes of formats."""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings as configuration

configuration.configure(
    ALLOWED_HOSTS=["*"],
    APPEND_SLASH=False,
    DEBUG=False,
    INSTALLED_APPS=[],
    MIDDLEWARE=[],
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": [], "DEFAULT_PERMISSION_CLASSES": []},
    ROOT_URLCONF=__name__,
    SECRET_KEY="for tests alone",
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path, re_path  # noqa: E402
from django.views.decorators.http import require_http_methods  # noqa: E402
from rest_framework.decorators import api_view, renderer_classes  # noqa: E402
from rest_framework.renderers import JSONRenderer, StaticHTMLRenderer  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.urlpatterns import format_suffix_patterns  # noqa: E402


def word(text):
    return lambda request, **_: HttpResponse(text, content_type="text/plain")


@api_view(["GET"])
@renderer_classes([StaticHTMLRenderer, JSONRenderer])
def members(request, format=None):
    return Response("members")


@require_http_methods(["POST", "DELETE"])
def items(request, item):
    return HttpResponse({"POST": "changed", "DELETE": "deleted"}[request.method])


urlpatterns = [
    path("admin/<path:rest>", word("admin")),
    re_path(r"(?i)^settings$", word("settings")),
    *format_suffix_patterns([path("members", members)]),
    path("items/<item>", items),
    re_path(r"^", word("open")),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application(), handler_class=Quiet).serve_forever()
