"""What the permissions, the admin and its history hang on: a model without a table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.db import models
from django.utils.translation import gettext_lazy as _

from apiclient_app.tokens import Inspection


class NoRows(models.Manager["ApiClient"]):
    """An empty set that never asks the database: `dumpdata` and the like come by here."""

    def get_queryset(self) -> models.QuerySet[ApiClient]:
        return super().get_queryset().none()


class ApiClient(models.Model):
    """One entry of `settings.API_CLIENTS`, as content type and permissions know it.

    Beside the alias it carries what a look at the client found, if somebody looked: an
    `inspection`, and its `settings` with secrets masked; or the `problem` that they have.
    """

    alias = models.CharField(_("alias"), max_length=255, primary_key=True)

    inspection: Inspection | None = None
    settings: Mapping[str, str] = MappingProxyType({})
    problem: str = ""

    objects = NoRows()

    class Meta:
        managed = False
        base_manager_name = "objects"
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        default_permissions = ("view",)
        permissions = [
            ("rotate_apiclient", "Can rotate tokens of API clients"),
            ("revoke_apiclient", "Can revoke tokens of API clients"),
            ("check_apiclient", "Can test connections of API clients"),
        ]

    def __str__(self) -> str:
        return self.alias
