from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("planets/<slug:name>/", views.planet, name="planet"),
    path("tour/", views.tour, name="tour"),
    path("admin/", admin.site.urls),
    # Good enough for a demo; a real site leaves its static files to its web server.
    path("static/<path:path>", serve, {"insecure": True}),
]
