from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path


def health(request: HttpRequest) -> HttpResponse:
    """200 when a page could be made: the process answers and the database does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    connection.close()
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [path("health", health)]
