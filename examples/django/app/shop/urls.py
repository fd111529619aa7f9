"""The shop's two pages: `/` takes and counts orders, `/health` says whether the database answers."""

import os

from django.http import HttpRequest, JsonResponse
from django.urls import path

from shop.models import Order


def orders(request: HttpRequest) -> JsonResponse:
    """Count orders; a POST adds one."""
    if request.method == "POST":
        Order.objects.create(what=request.body.decode("utf-8", "replace")[:100])
    return JsonResponse({"orders": Order.objects.count(), "pid": os.getppid()})


def health(_request: HttpRequest) -> JsonResponse:
    """Whether orders can be read."""
    return JsonResponse({"healthy": True, "orders": Order.objects.count()})


urlpatterns = [path("", orders), path("health", health)]
