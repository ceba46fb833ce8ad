"""Problems: every answer that is not a result, as RFC 9457 describes it.

References
----------
RFC 9457, Problem Details for HTTP APIs.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from serenade.errors import AudioError, SerenadeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

MEDIA_TYPE = "application/problem+json"

_CLIENT_CLOSED = 499
"""What proxies log for a request whose client went away; nobody receives it."""


class ProblemError(Exception):
    """A request that cannot be answered with a result.

    Parameters
    ----------
    status : HTTPStatus
        Status of the answer, 400 or higher.
    name : str
        What went wrong in a few words with hyphens; stable, so that programs can act on it.
    detail : str
        One sentence for people: the wrong value, what is allowed, what to do.
    headers : mapping of str to str or None
        Further headers of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        name: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.headers = dict(headers or {})

    def to_json(self) -> dict[str, Any]:
        """Give the problem details.

        Returns
        -------
        dict
            ``type``, ``title``, ``status`` and ``detail``.
        """
        return {
            "type": f"urn:serenade:problem:{self.name}",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }

    def to_response(self) -> JSONResponse:
        """Give the answer.

        Returns
        -------
        JSONResponse
            With the media type of problem details.
        """
        return JSONResponse(
            self.to_json(), int(self.status), headers=self.headers, media_type=MEDIA_TYPE
        )


def busy(detail: str) -> ProblemError:
    """Give the problem of a service that has too much to do.

    Parameters
    ----------
    detail : str
        One sentence.

    Returns
    -------
    ProblemError
        503 that asks to try again.
    """
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE, "busy", detail, headers={"Retry-After": "1"}
    )


def problem_of(error: SerenadeError) -> ProblemError:
    """Give the problem that an error of the library means to a client.

    Parameters
    ----------
    error : SerenadeError
        What the library raised.

    Returns
    -------
    ProblemError
        422 for audio or arguments that cannot be used; 500 for everything else, which is not the
        client's doing.
    """
    if isinstance(error, AudioError):
        return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "unusable-audio", str(error))
    if isinstance(error, UsageError):
        return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-argument", str(error))
    return _internal()


def answer_with_problems(app: FastAPI) -> None:
    """Let an application answer every error with problem details.

    Parameters
    ----------
    app : FastAPI
        Gets the handlers.
    """
    app.add_exception_handler(ProblemError, _answer_problem)
    app.add_exception_handler(SerenadeError, _answer_library_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_wrong_parameter)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_exception_handler(Exception, _answer_bug)


def _internal() -> ProblemError:
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "the service failed, which is not the fault of the request; its log says why",
    )


async def _answer_problem(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of Starlette
    assert isinstance(error, ProblemError)  # noqa: S101 - handlers are registered by type
    return error.to_response()


async def _answer_library_error(request: Request, error: Exception) -> Response:  # noqa: ARG001 - as above
    assert isinstance(error, SerenadeError)  # noqa: S101 - as above
    return problem_of(error).to_response()


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    status = HTTPStatus(error.status_code)
    match status:
        case HTTPStatus.NOT_FOUND:
            detail = f"there is nothing at {request.url.path!r:.200}; see /openapi.json"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = (error.headers or {}).get("Allow", "another method")
            detail = f"{request.method:.20} is not possible here; use {allowed}"
        case _:
            detail = str(error.detail)
    name = status.phrase.lower().replace(" ", "-")
    return ProblemError(status, name, detail, headers=error.headers).to_response()


async def _answer_wrong_parameter(request: Request, error: Exception) -> Response:  # noqa: ARG001 - as above
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    detail = f"{place} is {first.get('input')!r:.80}: {first['msg'][0].lower()}{first['msg'][1:]}"
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-parameter", detail).to_response()


async def _answer_nobody(request: Request, error: Exception) -> Response:  # noqa: ARG001 - as above
    return Response(status_code=_CLIENT_CLOSED)


async def _answer_bug(request: Request, error: Exception) -> Response:  # noqa: ARG001 - as above
    return _internal().to_response()
