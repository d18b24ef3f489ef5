"""What an error report would print of an error."""

from traceback import TracebackException


def said(error: BaseException) -> str:
    """Give its text and its causes', each frame with its local variables but the test's own."""
    assert error.__traceback__ is not None
    ours = error.__traceback__.tb_next
    return "".join(TracebackException(type(error), error, ours, capture_locals=True).format())
