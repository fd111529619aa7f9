"""Settings of the shop. What differs between machines comes from the environment; see Pulumi.example.yaml."""

import os
from pathlib import Path

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        # systemd makes the directory, gives it to the service's user and names it here (StateDirectory=).
        "NAME": Path(os.environ["STATE_DIRECTORY"]) / "shop.sqlite3",
    }
}
