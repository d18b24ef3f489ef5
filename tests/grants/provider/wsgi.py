"""The provider's WSGI application. Run it with one worker and many threads: see `seen`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.grants.provider.settings"
application = get_wsgi_application()


def prepare() -> None:
    """Make the tables, and register the one client."""
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model

    from . import CLIENT_ID, CLIENT_SECRET

    call_command("migrate", run_syncdb=True, verbosity=0)
    applications = get_application_model()
    applications.objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type=applications.CLIENT_CONFIDENTIAL,
        authorization_grant_type=applications.GRANT_AUTHORIZATION_CODE,
        redirect_uris="http://127.0.0.1/",
        hash_client_secret=False,  # hashing costs the CPU 300 ms a token
    )


prepare()
