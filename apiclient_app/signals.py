"""What happens to tokens and calls, for whoever wants to count it.

Every signal is sent with `send_robust`: a failing receiver never breaks a call. The sender is
`apiclient_app.client.Client`; arguments are aliases, ids and numbers, never a secret.

- `token_obtained(alias, subject, token_id)`: once per successful token request, after publishing
- `token_rejected(alias, subject, token_id)`: an API's answer matched the client's EXPIRED rule
- `token_revoked(alias, subject)`
- `token_request_failed(alias, subject, error, retry_after)`: `error` is a short code
- `call_finished(alias, subject, method, status, seconds)`: `status` is None when no answer came
"""

from django.dispatch import Signal

token_obtained = Signal()
token_rejected = Signal()
token_revoked = Signal()
token_request_failed = Signal()
call_finished = Signal()
