"""The words behind `manage.py apiclient`, in the order of its help."""

from .base import Subcommand
from .breaker import Breaker
from .call import Call
from .check import Check
from .fetch import Fetch
from .looking import Inspect, ListClients
from .orders import Revoke, Rotate, Switch
from .prune import Prune
from .reencrypt import Reencrypt
from .storing import StoreRefreshToken
from .subjects import Subjects

SUBCOMMANDS: dict[str, Subcommand] = {
    "list": ListClients(),
    "inspect": Inspect(),
    "subjects": Subjects(),
    "check": Check(),
    "call": Call(),
    "fetch": Fetch(),
    "rotate": Rotate(),
    "revoke": Revoke(),
    "store-refresh-token": StoreRefreshToken(),
    "switch": Switch(),
    "breaker": Breaker(),
    "reencrypt": Reencrypt(),
    "prune": Prune(),
}
