"""The way of a request: found in a table, let in, answered inside one transaction.

FastAPI declares the routes, describes them and checks their input. What it does around a request
(routers tried in turn, exit stacks, generators, layers of middleware) costs several times what
the acts do. So a request that fits a route goes this way, and what fits none goes FastAPI's.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isasyncgenfunction, iscoroutine, isgeneratorfunction
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from fastapi import FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.params import Form
from fastapi.routing import RouteContext, iter_route_contexts
from starlette._utils import get_route_path

from app.api.kit.parameters import read_parameters
from app.deps import current_transaction, transaction
from app.errors import OperatorError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Guard: TypeAlias = Callable[[Request], Awaitable[None]]
Reader: TypeAlias = Callable[[Request], Awaitable[object]]
Handler: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]
UNSUPPORTED = ("websocket_param_name", "response_param_name", "background_tasks_param_name")


class Left(Exception):
    """There is nobody to answer any more, or another layer does."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one route, with what it needs before its act."""

    route: object
    dependant: Dependant
    is_form: bool
    embeds: bool
    """Whether the parts of the body have names of their own."""
    in_transaction: bool

    @classmethod
    def of(cls, route: RouteContext) -> "Endpoint":
        """Return what FastAPI knows of a route."""
        dependant, body = route.dependant, route.body_field
        _refuse_unsupported(dependant)
        return cls(
            route=route,
            dependant=dependant,
            is_form=body is not None and isinstance(body.field_info, Form),
            embeds=cast("Any", route)._embed_body_fields,  # noqa: SLF001 - FastAPI keeps it for its own handler
            in_transaction=any(one.call is current_transaction for one in _all_of(dependant)),
        )

    async def respond(self, request: Request, body: object) -> Response:
        """Answer a request, in its one transaction if it needs one."""
        if not self.in_transaction:
            return await self._act(request, body)
        async with transaction(request) as request.state.tx:
            return await self._act(request, body)

    async def _act(self, request: Request, body: object) -> Response:
        values, faults = await _values(self, self.dependant, request, body=body, known={})
        if faults:
            raise RequestValidationError(faults)
        return await cast("Any", self.dependant.call)(**values)


async def _values(
    endpoint: Endpoint,
    dependant: Dependant,
    request: Request,
    *,
    body: object,
    known: dict[object, object],
) -> tuple[dict[str, Any], list[Any]]:
    """Return what a function is called with, and what is wrong with the input for it."""
    values: dict[str, Any] = {}
    faults: list[Any] = []
    for needed in dependant.dependencies:
        call = cast("Any", needed.call)
        if call not in known:
            own, wrong = await _values(endpoint, needed, request, body=body, known=known)
            if wrong:
                faults += wrong
                continue
            made = call(**own)
            known[call] = await made if iscoroutine(made) else made
        if needed.name is not None:
            values[needed.name] = known[call]
    found, wrong = read_parameters(dependant, request)
    values |= found
    faults += wrong
    if dependant.body_params:
        found, wrong = await request_body_to_args(
            body_fields=dependant.body_params,
            received_body=body,
            embed_body_fields=endpoint.embeds,
        )
        values |= found
        faults += wrong
    if dependant.request_param_name:
        values[dependant.request_param_name] = request
    return values, faults


def _all_of(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for needed in dependant.dependencies:
        yield from _all_of(needed)


def _refuse_unsupported(dependant: Dependant) -> None:
    for one in _all_of(dependant):
        call = one.call
        if (
            isgeneratorfunction(call)
            or isasyncgenfunction(call)
            or any(getattr(one, name) for name in UNSUPPORTED)
        ):
            message = f"{call} asks for what nothing on the way of a request gives."
            raise OperatorError(message)


@dataclass(slots=True)
class Table:
    """Where a path leads: a step for each of its parts, by name before by parameter."""

    methods: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    names: tuple[str, ...] = ()
    """Of the parameters on the way here."""
    steps: dict[str, "Table"] = field(default_factory=dict[str, "Table"])
    parameter: "Table | None" = None

    def add(self, method: str, path: str, endpoint: Endpoint) -> None:
        """Add a route."""
        here, names = self, list[str]()
        for part in path.split("/"):
            if part.startswith("{"):
                names.append(part.strip("{}"))
                here.parameter = here = here.parameter or Table()
            else:
                here = here.steps.setdefault(part, Table())
        here.names = tuple(names)
        here.methods.setdefault(method, endpoint)

    def find(self, method: str, path: str) -> tuple[Endpoint, Mapping[str, str]] | None:
        """Return the route that a path and method fit, with its parameters."""
        return self.follow(method, path.split("/"), 0, ())

    def follow(
        self, method: str, parts: Sequence[str], at: int, taken: tuple[str, ...]
    ) -> tuple[Endpoint, Mapping[str, str]] | None:
        """Return what `find` does, from the part on that is reached."""
        if at == len(parts):
            endpoint = self.methods.get(method)
            return (
                None if endpoint is None else (endpoint, dict(zip(self.names, taken, strict=True)))
            )
        part = parts[at]
        step = self.steps.get(part)
        found = None if step is None else step.follow(method, parts, at + 1, taken)
        if found is None and self.parameter is not None and part:
            found = self.parameter.follow(method, parts, at + 1, (*taken, part))
        return found


class Application(FastAPI):
    """FastAPI, with a shorter way for the requests that fit one of its routes."""

    def __init__(
        self,
        *,
        guard: Guard | None = None,
        reader: Reader | None = None,
        **more: Any,  # noqa: ANN401 - what FastAPI takes
    ) -> None:
        super().__init__(**more)
        self._guard = guard
        self._reader = reader
        self._table: Table | None = None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        found = self._routes().find(scope["method"], get_route_path(scope))
        if found is None:
            await super().__call__(scope, receive, send)
            return
        endpoint, scope["path_params"] = found
        scope["app"], scope["route"] = self, endpoint.route
        request = Request(scope, receive, send)
        try:
            response = await self._respond(endpoint, request)
        except Left:
            return
        except Exception as error:  # noqa: BLE001 - each kind has its handler
            response = await self._handler(error)(request, error)
        try:
            await response(scope, receive, send)
        except Exception as error:
            # It is too late for another answer: the failure is noted, and the connection closed.
            await self._handler(error, kind=Exception)(request, error)
            raise

    def has(self, method: str, path: str) -> bool:
        """Whether one of the routes fits."""
        return self._routes().find(method, path) is not None

    async def _respond(self, endpoint: Endpoint, request: Request) -> Response:
        if self._guard is not None:
            await self._guard(request)
        body = None if self._reader is None else await self._reader(request)
        if not endpoint.is_form:
            return await endpoint.respond(request, body)
        async with request.form() as form:
            return await endpoint.respond(request, form)

    def _handler(self, error: Exception, *, kind: type[Exception] | None = None) -> Handler:
        handlers = cast("Mapping[type, Handler]", self.exception_handlers)
        return next(handlers[one] for one in (kind or type(error)).__mro__ if one in handlers)

    def _routes(self) -> Table:
        if self._table is None:
            table = Table()
            for route in iter_route_contexts(self.routes):
                if getattr(route, "dependant", None) is not None:
                    endpoint = Endpoint.of(route)
                    for method in route.methods or ():
                        table.add(method, route.path or "", endpoint)
            self._table = table
        return self._table
