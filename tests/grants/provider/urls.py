from django.urls import include, path

from . import views

urlpatterns = [
    path("o/", include("oauth2_provider.urls")),
    path("api/thing", views.thing),
    path("control/mint", views.mint),
    path("control/expire", views.expire),
    path("control/seen", views.seen),
    path("control/latest", views.latest_calls),
    path("control/reset", views.reset),
]
