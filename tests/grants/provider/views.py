import secrets
import time
from datetime import timedelta
from uuid import uuid4

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from oauth2_provider.decorators import protected_resource_metadata
from oauth2_provider.models import (
    get_access_token_model,
    get_application_model,
    get_refresh_token_model,
)

from .seen import asked, latest

AccessToken, RefreshToken = get_access_token_model(), get_refresh_token_model()
Application = get_application_model()


@protected_resource_metadata(scopes=["read"])
def thing(request: HttpRequest) -> JsonResponse:
    """The API: tells whose Bearer token came, if it is good."""
    return JsonResponse({"user": request.resource_owner.username})  # type: ignore[attr-defined]


def mint(request: HttpRequest) -> JsonResponse:
    """Give a user the first refresh token of a new grant, as a consent page would."""
    user, _ = User.objects.get_or_create(username=request.POST["user"])
    owned = {"user": user, "application": Application.objects.get()}
    access = AccessToken.objects.create(
        **owned,
        token=secrets.token_urlsafe(),
        expires=timezone.now() + timedelta(hours=1),
        scope="read write",
    )
    first = RefreshToken.objects.create(
        **owned, token=secrets.token_urlsafe(), access_token=access, token_family=uuid4()
    )
    return JsonResponse({"refresh_token": first.token})


def expire(request: HttpRequest) -> JsonResponse:
    """End every access token now, before its time. Nobody is told."""
    now = timezone.now()
    return JsonResponse(
        {"expired": AccessToken.objects.filter(expires__gt=now).update(expires=now)}
    )


def seen(request: HttpRequest) -> JsonResponse:
    """Give the journal, and the users with a grant that is alive."""
    alive = RefreshToken.objects.filter(revoked=None).exclude(access_token=None)
    users = alive.values_list("user__username", flat=True)
    return JsonResponse({"asked": asked, "alive": sorted(set(users))})


def latest_calls(request: HttpRequest) -> JsonResponse:
    """Tell how many seconds ago a call was last answered, by user, and the last unrest."""
    return JsonResponse({user: time.time() - at for user, at in latest.copy().items()})


def reset(request: HttpRequest) -> JsonResponse:
    """Forget all users, their grants, and the journal."""
    User.objects.all().delete()
    asked.clear()
    latest.clear()
    return JsonResponse({})
