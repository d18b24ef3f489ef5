import os
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apiclient_app import APIClientError, NotFound, clients


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what the API says about the planets, and the token that it took."""
    client = clients["planets"]
    context: dict[str, object] = {"process": os.getpid()}
    try:
        context["planets"] = client.get("planets/").json()["planets"]
    except APIClientError as error:
        context["error"] = error
    context["token"] = client.inspect()
    return render(request, "home.html", context, status=502 if "error" in context else 200)


@require_safe
def planet(request: HttpRequest, name: str) -> JsonResponse:
    """Give one planet, and the id of the process that asked for it."""
    try:
        found = clients["planets"].call("planet", name=name).json()
    except NotFound:
        return JsonResponse({"error": "no such planet"}, status=404)
    except APIClientError as error:
        return JsonResponse({"error": str(error)}, status=502)
    return JsonResponse(found | {"process": os.getpid()})


@require_safe
async def tour(request: HttpRequest) -> JsonResponse:
    """Give several planets, asked for side by side: /tour/?planet=earth&planet=mars."""
    client = clients["planets"]
    paths = [f"planets/{quote(name, safe='')}/" for name in request.GET.getlist("planet")]
    try:
        planets = [response.json() async for response in client.amap(paths)]
    except NotFound:
        return JsonResponse({"error": "no such planet"}, status=404)
    except APIClientError as error:
        return JsonResponse({"error": str(error)}, status=502)
    return JsonResponse({"planets": planets, "process": os.getpid()})
