"""The app's entry in INSTALLED_APPS."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiClientConfig(AppConfig):
    name = "apiclient_app"
    verbose_name = _("API clients")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, logs  # noqa: F401

        logs.install()
