# SPDX-License-Identifier: Apache-2.0
"""A Django project in one file: the same views for ASGI and WSGI."""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="of a test",
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    )
    django.setup(set_prefix=False)


def hello(request: Any) -> HttpResponse:
    return HttpResponse("hello from Django")


def echo(request: Any) -> HttpResponse:
    return HttpResponse(request.body, content_type="application/octet-stream")


def item(request: Any, id: int) -> JsonResponse:
    return JsonResponse(
        {"id": id, "q": request.GET.get("q"), "root": request.META["SCRIPT_NAME"]}
    )


def stream(request: Any) -> StreamingHttpResponse:
    return StreamingHttpResponse(f"{number} " for number in range(50))


def form(request: Any) -> HttpResponse:
    return HttpResponse(request.POST["name"] + str(len(request.FILES["file"].read())))


def bad(request: Any) -> HttpResponse:
    raise ValueError("my mistake")


urlpatterns = [
    path("hello", hello),
    path("echo", echo),
    path("items/<int:id>", item),
    path("stream", stream),
    path("form", form),
    path("bad", bad),
]

asgi = ASGIHandler()
wsgi = WSGIHandler()
