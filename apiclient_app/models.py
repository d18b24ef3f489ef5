"""The rows of refresh tokens; and what permissions, admin and history hang on: no table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apiclient_app.rows import RowState
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


CLAIMED = models.Q(leased_until__gt=Now())
IN_NEED = models.Q(attention__gt="")
OF_SUBJECTS = models.Q(subject__gt="")
# As `Row.state` has it, but for UNREADABLE: that takes the keys to see.
STATE = models.Case(
    models.When(CLAIMED, then=models.Value(RowState.ASKING.value)),
    models.When(IN_NEED, then=models.Value(RowState.ATTENTION.value)),
    models.When(refresh_token="", then=models.Value(RowState.EMPTY.value)),
    models.When(asking_since=None, then=models.Value(RowState.HELD.value)),
    default=models.Value(RowState.IN_DOUBT.value),
    output_field=models.CharField(),
)


class Credential(models.Model):
    """The refresh token of one grant and subject, sealed, and what is known of its use.

    Written only by `store.rows`, in statements fenced by `generation` and `owner`. `identity`
    names alias, grant and subject; what is sealed is bound to it.
    """

    identity = models.CharField(_("identity"), max_length=64, unique=True, editable=False)
    alias = models.CharField(_("alias"), max_length=255)
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    refresh_token = models.TextField(_("refresh token"), blank=True)
    seeds = models.TextField(blank=True)
    generation = models.BigIntegerField(_("generation"), default=1)
    owner = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    asking_since = models.DateTimeField(_("asking since"), null=True)
    attention = models.CharField(_("needs attention"), max_length=255, blank=True, db_index=True)
    tries = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(_("next attempt"), null=True)
    obtained_at = models.DateTimeField(_("refresh token obtained"), null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering = ("alias", "subject", "pk")
        indexes = [models.Index(fields=["alias", "subject"], name="apiclient_alias_subject")]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.alias} ({self.subject})" if self.subject else self.alias

    def __repr__(self) -> str:
        return f"<Credential {self}>"
