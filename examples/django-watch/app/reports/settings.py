"""The least of a Django project: a page that needs the database, served over WSGI and ASGI."""

import os

SECRET_KEY = os.environ.get("SECRET_KEY", "only the example's")
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "reports.urls"
USE_TZ = True
# Peer authentication over the local socket: no password anywhere.
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "reports", "HOST": "/run/postgresql"}}
