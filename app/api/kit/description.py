"""The OpenAPI description: what all operations share, and the route that publishes it."""

import json
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic.alias_generators import to_camel

from app.api.kit.access import ROUTES
from app.api.kit.problems import PROBLEM_JSON, TITLES, Problem
from app.database.caller import ANYONE

SUMMARY = (
    "Finds a safe place in another region for a household that flees domestic violence, "
    "holds it without ever\n"
    "booking it twice, and records what each region gave and took."
)

CONTACT = {
    "name": "Maintainers of Plek",
    "url": "https://plek.example/contact",
    "email": "maintainers@plek.example",
}
LICENCE = {"name": "EUPL-1.2", "identifier": "EUPL-1.2"}

TAGS = [
    {"name": "Reference", "description": "Regions, municipalities and providers."},
    {"name": "Policies", "description": "By which numbers places are found."},
    {"name": "Availability", "description": "What is free, in bands, and how fresh that is."},
    {"name": "Sites", "description": "A provider's own sites."},
    {"name": "Places", "description": "A provider's own places."},
    {"name": "Referrals", "description": "Households that need a place."},
    {"name": "Waiting", "description": "Those for whom nothing fits yet, and what comes free."},
    {"name": "Alternatives", "description": "What they have until a place is found."},
    {"name": "Rankings", "description": "Where a household can go, best first, and why."},
    {"name": "Peaks", "description": "Many referrals placed together, on paper."},
    {"name": "Budgets", "description": "What one account may do alone, and who raised it."},
    {"name": "Holds", "description": "Places kept for a while."},
    {"name": "Placements", "description": "From under way to departure."},
    {"name": "Swaps", "description": "Moves of several households that bring a safe place free."},
    {"name": "Dues", "description": "What has to be done by when, and who has seen that."},
    {"name": "Accounts", "description": "What is asked for accounts, and colleagues who vouch."},
    {"name": "Access log", "description": "Who looked at what, when and why."},
    {"name": "Review", "description": "Whose week was unlike others, and what came of asking."},
    {"name": "Ledger", "description": "What was recorded for everyone to check."},
    {
        "name": "Decisions",
        "description": "What was decided for a household, for the auditors of the regions "
        "concerned.",
    },
    {
        "name": "Public directory",
        "description": "Shelter organisations as a directory of services has them (HSDS).",
    },
    {"name": "Monitor", "description": "How shelter works, in whole quarters."},
    {"name": "Fair shares", "description": "What each region gave and received, by quarter."},
    {
        "name": "Caps",
        "description": "How many households a region takes from others, other than for safety.",
    },
    {"name": "Events", "description": "What changes, as it changes."},
    {"name": "Webhooks", "description": "Events that are sent to a provider's own systems."},
    {"name": "Description", "description": "This description."},
]

ALWAYS = (400, 401, 403, 429, 503)
"""What any call may answer with."""
NAMING = (404,)
"""What a call that names a thing may answer with as well."""
POSTING = (404, 409, 422)
CHANGING = (404, 409, 412)
MATCH_REQUIRED = frozenset({"/referrals/{id}"})
KEY_REQUIRED = frozenset({"/holds", "/placements"})

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": TITLES[status], "model": Problem, "content": {PROBLEM_JSON: {}}}
    for status in ALWAYS
}

VERSION_HEADER = {
    "API-Version": {
        "description": "Version of this API.",
        "schema": {"type": "string", "examples": ["0.1.0"]},
    }
}
TAG_HEADER = {"ETag": {"description": "The version that this is.", "schema": {"type": "string"}}}
RETRY_HEADER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
}
DOCUMENT = "/openapi.json"
UNUSED = frozenset({"HTTPValidationError", "ValidationError"})
"""Schemas of the framework for faults; ours are problems."""
NAMING_BY_QUERY = frozenset({"/ledger/inclusion-proofs", "/ledger/consistency-proofs"})
"""Routes whose query names the thing that they are about."""
FOR_ALL = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
"""It is the same for everybody, from every origin."""


def operation_id(route: APIRoute) -> str:
    """Return what an operation is called in the description: its function's name."""
    return to_camel(route.name)


def routes(app: FastAPI) -> set[tuple[str, str]]:
    """Return method and path of every operation."""
    return {
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        if route.path
        for method in route.methods or ()
    }


def publish(app: FastAPI) -> None:
    """Add the route that publishes the description, the only one that any origin may read."""

    @app.get(
        DOCUMENT,
        tags=["Description"],
        summary="This description",
        response_model=dict[str, Any],
    )
    async def read_description() -> Response:  # pyright: ignore[reportUnusedFunction]
        """Read this description."""
        return JSONResponse(document(app), headers=FOR_ALL)


def document(app: FastAPI) -> dict[str, Any]:
    """Return the description, with what the framework cannot know."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=_list_routes(app),
            webhooks=app.webhooks.routes,
            tags=app.openapi_tags,
            servers=app.servers,
            contact=app.contact,
            license_info=app.license_info,
        )
        for path, operations in made["paths"].items():
            for method, operation in operations.items():
                _complete(path, method, operation)
        for message in made["webhooks"].values():
            _complete_message(message["post"])
        made = _name_by_title(made)
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"token": []}]
        app.openapi_schema = made
    return app.openapi_schema


def _name_by_title(made: dict[str, Any]) -> dict[str, Any]:
    """Publish each schema by its title, which may differ from the name of its class."""
    schemas = made["components"]["schemas"]
    names = {name: schema.get("title", name) for name, schema in schemas.items()}
    made["components"]["schemas"] = {
        title: schemas[name]
        for name, title in sorted(names.items(), key=lambda item: item[1])
        if name not in UNUSED
    }
    text = json.dumps(made)
    for name, title in names.items():
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{title}"')
    renamed: dict[str, Any] = json.loads(text)
    return renamed


def _list_routes(app: FastAPI) -> list[RouteContext]:
    """Return every route with its status, which the response class of a stream does not say."""
    contexts = list(iter_route_contexts(app.routes))
    for context in contexts:
        if getattr(context, "status_code", None) is None:
            vars(context)["status_code"] = 200
    return contexts


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    responses.pop("422", None)
    if ROUTES[method.upper(), path].roles == ANYONE:
        operation["security"] = []
        for status in (400, 401, 403) if path == DOCUMENT else (401, 403):
            responses.pop(str(status))
    for status in _problems(path, method):
        responses[str(status)] = {"description": TITLES[status]}
    _add_conditions(path, method, operation)
    for status, response in responses.items():
        headers = response.setdefault("headers", {})
        headers |= VERSION_HEADER
        if status in {"429", "503"}:
            headers |= RETRY_HEADER
        if int(status) >= 400:  # noqa: PLR2004 - where errors begin
            response["content"] = {
                PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}
            }


def _complete_message(operation: dict[str, Any]) -> None:
    """Leave out what does not hold for a message of Plek's: it bears no token."""
    operation["security"] = []
    for status in ("204", "422"):
        operation["responses"].pop(status)


def _problems(path: str, method: str) -> tuple[int, ...]:
    if method == "post":
        return POSTING
    if method == "patch":
        return CHANGING + ((428,) if path in MATCH_REQUIRED else ())
    if method in {"put", "delete"}:
        return (*NAMING, 409)
    return NAMING if "{" in path or path in NAMING_BY_QUERY else ()


def _add_conditions(path: str, method: str, operation: dict[str, Any]) -> None:
    parameters: list[dict[str, Any]] = operation.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["name"] == "Idempotency-Key":
            parameter["required"] = path in KEY_REQUIRED
    responses: dict[str, Any] = operation["responses"]
    if method == "patch":
        required = path in MATCH_REQUIRED
        parameters.append(
            _header(
                "If-Match",
                "The ETag that was read; without it the last write wins.",
                required=required,
            )
        )
    if method == "get" and path.endswith("}"):
        parameters.append(
            _header("If-None-Match", "The ETag that was read: 304 while it is still the one.")
        )
        responses["304"] = {"description": "Not changed since", "headers": dict(TAG_HEADER)}
    if method == "patch" or "304" in responses:
        responses["200"].setdefault("headers", {}).update(TAG_HEADER)


def _header(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": 1000}
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": schema,
    }
