"""The app's entry in INSTALLED_APPS."""

from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _

CHECKS = {
    "check_clients": Tags.security,
    "check_caches": Tags.caches,
    "check_engine": Tags.compatibility,
    "check_limits": Tags.caches,
    "check_database": Tags.security,
    "check_grace": Tags.security,
    "check_rows": Tags.database,
}


class ApiClientConfig(AppConfig):
    name = "apiclient_app"
    verbose_name = _("API clients")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import logs

        logs.install()
        for name, tag in CHECKS.items():
            register(late(name), tag)
        register(late("check_tls"), Tags.security, deploy=True)


def late(name: str) -> Callable[..., Any]:
    """Give a check that is imported when it runs: a worker that checks nothing starts sooner."""

    def check(*arguments: Any, **options: Any) -> Any:
        from . import checks

        return getattr(checks, name)(*arguments, **options)

    return check
