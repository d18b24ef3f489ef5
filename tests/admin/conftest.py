import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from .pages import LogIn


@pytest.fixture
def staff(db: None) -> LogIn:
    """Log a staff user in: `staff("view", "rotate")` has these permissions for API clients.

    "view_credential" is one of another model, and so named in full.
    """

    def log_in(*names: str, csrf: bool = False) -> Client:
        user = User.objects.create_user("kim", is_staff=True)
        codenames = [name if "_" in name else f"{name}_apiclient" for name in names]
        permissions = Permission.objects.filter(codename__in=codenames)
        assert len(permissions) == len(names)
        user.user_permissions.set(permissions)
        browser = Client(enforce_csrf_checks=csrf)
        browser.force_login(user)
        return browser

    return log_in
