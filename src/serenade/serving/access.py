"""Access: requests show a key where the service needs one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from serenade.serving.problems import ProblemError
from serenade.serving.service import service_of

_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="An API key, where the service needs one."
)


def require_key(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> None:
    """Refuse a request without a valid key.

    Parameters
    ----------
    request : Request
        Any.
    credentials : HTTPAuthorizationCredentials or None
        The key, from ``Authorization: Bearer KEY``.

    Raises
    ------
    ProblemError
        401 if the service needs a key and this is none.
    """
    key = None if credentials is None else credentials.credentials
    if not service_of(request).keys.admits(key):
        raise unauthorized()


def unauthorized() -> ProblemError:
    """Give the problem of a missing or wrong key.

    Returns
    -------
    ProblemError
        401.
    """
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "no-key",
        "the service needs a valid API key; send it as Authorization: Bearer KEY",
        headers={"WWW-Authenticate": "Bearer"},
    )
