"""The other side of the demo: an OAuth 2 provider and its API, in a process of its own."""

# Both sides know these. In a real project the site reads them from its environment.
CLIENT_ID = "demo-site"
CLIENT_SECRET = "a secret of the demo and of nothing else"
TOKEN_SECONDS = 10
