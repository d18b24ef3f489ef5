"""Words that mean something to what reads replies, headers and records."""

MEMBERS = (
    "access_token", "refresh_token", "token_type", "expires_in", "expires_on", "scope", "error",
    "error_description", "code", "message", "data", "token", "refresh", "exp",
)  # fmt: skip
RECORDS = (
    "id", "generation", "headers", "obtained_at", "renew_at", "usable_until", "expires_at",
    "fingerprint", "description", "terminal", "at", "until", "count", "for_stale",
    "mark", "etag", "modified", "length", "number",
)  # fmt: skip
HEADERS = (
    "Content-Type", "Content-Length", "Content-Encoding", "Content-Range", "Date", "ETag",
    "Last-Modified", "Location", "Retry-After", "Set-Cookie", "Transfer-Encoding",
    "WWW-Authenticate", "RateLimit", "RateLimit-Remaining", "RateLimit-Reset",
    "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Reset-After", "X-Why",
)  # fmt: skip
NUMBERS = (
    "0", "-1", "7", "3600", "1e400", "-1e400", "NaN", "Infinity", "1_0", "0.5", "1800000060",
    "1800000060000", "4294967295", "4294967296", "9999999999999999999999", "9" * 4301,
)  # fmt: skip
DATES = (
    "Fri, 15 Jan 2027 08:01:00 GMT", "Friday, 15-Jan-27 08:01:00 GMT", "Fri Jan 15 08:01:00 2027",
    "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "2027-01-15T08:01:00Z",
    "2027-01-15T08:01:00+23:59", "15 Jan 99999999999999999999 08:01:00 GMT",
)  # fmt: skip
TEXTS = (
    "Bearer", "bearer", "invalid_token", "invalid_grant", "expired", "true", "null", "HTTP/1.1",
    "200", "206", "401", "416", "429", "503", "gzip", "identity", "chunked", "bytes 0-9/10",
    "charset=", "utf-16", "idna", "undefined", "punycode", "https://", "//", "\\\\", "api.example",
    "r=5", "t=30", "remaining=5", "reset=3", "[[[[[[[[", "\"a\"", "W/\"a\"", "=",
)  # fmt: skip
WORDS = (*MEMBERS, *RECORDS, *HEADERS, *NUMBERS[:-1], *DATES, *TEXTS)
