from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from oauth2_provider.decorators import protected_resource_metadata
from oauth2_provider.models import get_access_token_model

from .planets import PLANETS
from .seen import seen

protected = protected_resource_metadata(scopes=["planets"])


@require_GET
@protected
def planets(request: HttpRequest) -> JsonResponse:
    """The API: all planets, if the Bearer token is good."""
    return JsonResponse({"planets": list(PLANETS.values())})


@require_GET
@protected
def planet(request: HttpRequest, name: str) -> JsonResponse:
    if name not in PLANETS:
        return JsonResponse({"error": "no such planet"}, status=404)
    return JsonResponse(PLANETS[name])


def counts(request: HttpRequest) -> JsonResponse:
    """For the story: what was seen here so far."""
    return JsonResponse(seen())


@require_POST
def expire(request: HttpRequest) -> JsonResponse:
    """For the story: end every token now, before its time. Nobody is told."""
    now = timezone.now()
    tokens = get_access_token_model().objects.filter(expires__gt=now)
    return JsonResponse({"expired": tokens.update(expires=now)})
