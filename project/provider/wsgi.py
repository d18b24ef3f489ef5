"""The provider's WSGI application. Run it with one worker and many threads: see `seen`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "project.provider.settings"
application = get_wsgi_application()


def prepare() -> None:
    """Make the tables, and register the demo site as an application."""
    from django.conf import settings
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model

    from . import CLIENT_ID, CLIENT_SECRET

    settings.VAR.mkdir(parents=True, exist_ok=True)
    call_command("migrate", run_syncdb=True, verbosity=0)
    applications = get_application_model()
    applications.objects.update_or_create(
        client_id=CLIENT_ID,
        defaults={
            "name": "Demo site",
            "client_type": applications.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": applications.GRANT_CLIENT_CREDENTIALS,
            "client_secret": CLIENT_SECRET,
            "hash_client_secret": False,  # it is public, and hashing costs the CPU 300 ms a token
        },
    )


prepare()
