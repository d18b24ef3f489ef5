from django.urls import include, path

from . import views

urlpatterns = [
    path("o/", include("oauth2_provider.urls")),
    path("api/planets/", views.planets),
    path("api/planets/<slug:name>/", views.planet),
    path("seen/", views.counts),
    path("expire/", views.expire),
]
