"""Which faults pass by themselves, and how to wait for that."""

from __future__ import annotations

import errno
import random
import sys
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0

_PASSING_STATUS = (408, 425, 429)
_PASSING_ERRNO = {
    *(errno.EAGAIN, errno.EBUSY, errno.ECONNABORTED, errno.ECONNREFUSED, errno.ECONNRESET),
    *(errno.EHOSTUNREACH, errno.EIO, errno.ENETDOWN, errno.ENETRESET, errno.ENETUNREACH),
    *(errno.EPIPE, errno.ETIMEDOUT),
}
_PASSING_OF_LIBRARIES = {
    "aiohttp": ("ClientConnectionError", "ClientPayloadError"),
    "botocore.exceptions": ("ConnectionError", "HTTPClientError"),
}
"""What libraries raise where no answer came, by the module that names it."""


def with_retries(
    call: Callable[[], Result],
    *,
    attempts: int,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Call something again as long as its faults are such that pass.

    The waits double from half a second to half a minute, each between half and all of that, so
    that many workers do not come back at the same moment.

    Parameters
    ----------
    call : callable
        What may fail.
    attempts : int
        How often it is called at most, 1 or more.
    sleep : callable
        Waits for a number of seconds.

    Returns
    -------
    object
        What `call` returned.

    Raises
    ------
    Exception
        What the last call raised.
    """
    longest = FIRST_WAIT_SECONDS
    for _ in range(attempts - 1):
        try:
            return call()
        except Exception as error:
            if not is_passing(error):
                raise
        sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - no secret depends on it
        longest = min(2 * longest, LONGEST_WAIT_SECONDS)
    return call()


def is_passing(error: BaseException) -> bool:
    """Tell whether a fault may be gone the next time.

    Parameters
    ----------
    error : BaseException
        What reading from a store raised.

    Returns
    -------
    bool
        True for time-outs, broken connections, and answers 408, 425, 429 and 5xx.
    """
    error = origin_of(error)
    status = status_of(error)
    if status is not None:
        return status >= 500 or status in _PASSING_STATUS
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    if isinstance(error, OSError) and error.errno in _PASSING_ERRNO:
        return True
    return any(
        isinstance(error, tuple(getattr(sys.modules[module], name) for name in names))
        for module, names in _PASSING_OF_LIBRARIES.items()
        if module in sys.modules  # only what is loaded can have raised
    )


def status_of(error: BaseException) -> int | None:
    """Give the HTTP status of a refusal.

    Parameters
    ----------
    error : BaseException
        What reading from a store raised.

    Returns
    -------
    int or None
        ``None`` where no answer came.
    """
    error = origin_of(error)
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):  # botocore, below s3fs
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    elif hasattr(error, "status"):  # aiohttp
        status = error.status
    else:  # gcsfs
        status = getattr(error, "code", None)
    return status if isinstance(status, int) else None


def origin_of(error: BaseException) -> BaseException:
    """Give the error that others were raised from.

    fsspec tells most troubles with a web server as a file that does not exist.

    Parameters
    ----------
    error : BaseException
        What reading from a store raised.

    Returns
    -------
    BaseException
        The first of the chain.
    """
    while error.__cause__ is not None:
        error = error.__cause__
    return error
