"""OpenAPI 3.1 documents, generated from the table of endpoints. Pure: equal tables give equal documents."""

import inspect
from http import HTTPStatus
from typing import Annotated, Any, get_args, get_origin

import msgspec

from chat.model.limits import Bucket
from handlers.http.answers import Png, Stream, Text
from handlers.http.api import Api
from handlers.http.endpoint import Endpoint, Limit
from handlers.http.parameters import Parameter

JSON = "application/json"
SECURITY = {
    "cookie": {"type": "apiKey", "in": "cookie", "name": "Authorization"},
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


def document(api: Api) -> dict[str, Any]:
    """Return the OpenAPI document of the HTTP endpoints of `api`."""
    types = [api.error, *(one.body for one in api.http if one.body is not None), *map(answer_type, api.http)]
    shapes = [one for one in types if one is not None]
    schemas, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    known = dict(zip(map(repr, shapes), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in api.http:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, known, known[repr(api.error)])
    return {
        "openapi": "3.1.0",
        "info": {"title": api.title, "version": api.version, "license": {"name": "AGPL-3.0-or-later"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SECURITY},
    }


def answer_type(endpoint: Endpoint) -> Any:
    """Return the type of a JSON answer; None if the answer is not JSON."""
    answer = endpoint.answer
    if get_origin(answer) is Annotated and get_args(answer)[0] is Stream:
        return get_args(answer)[1]
    return None if answer in (Text, Png) else answer


def _operation(endpoint: Endpoint, known: dict[str, Any], error: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.action.__module__.rpartition('.')[2]}.{endpoint.action.__name__}",
        "summary": (inspect.getdoc(endpoint.action) or "").partition("\n")[0],
        "security": [] if endpoint.access == "public" else [{"cookie": []}, {"bearer": []}],
        "responses": _responses(endpoint, known, error),
    }
    if parameters := _parameters(endpoint):
        operation["parameters"] = parameters
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": known[repr(endpoint.body)]}}}
    if endpoint.limits:
        operation["x-rate-limits"] = [_limit(limit) for limit in endpoint.limits]
    return operation


def _responses(endpoint: Endpoint, known: dict[str, Any], error: dict[str, Any]) -> dict[str, Any]:
    content = {JSON: {"schema": error}}
    return {
        str(endpoint.status): {"description": HTTPStatus(endpoint.status).phrase, "content": _content(endpoint, known)},
        "4XX": {"description": "The request is refused", "content": content},
        "5XX": {"description": "The server cannot answer now", "content": content},
    }


def _content(endpoint: Endpoint, known: dict[str, Any]) -> dict[str, Any]:
    if endpoint.answer is Text:
        return {"text/plain": {"schema": {"type": "string"}}}
    if endpoint.answer is Png:
        return {"image/png": {}}
    return {JSON: {"schema": known[repr(answer_type(endpoint))]}}


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    in_path = [_parameter(name, one, "path", required=True) for name, one in endpoint.path_parameters.items()]
    in_query = [
        _parameter(name, one, "query", required=default is inspect.Parameter.empty)
        for name, (one, default) in endpoint.query_parameters.items()
    ]
    return [*in_path, *in_query]


def _parameter(argument: str, parameter: Parameter, place: str, *, required: bool) -> dict[str, Any]:
    return {"name": parameter.name or argument, "in": place, "required": required, "schema": parameter.schema}


def _limit(limit: Limit) -> dict[str, Any]:
    rate = limit.rate
    counted = {"name": rate.name, "by": list(limit.by)}
    if isinstance(rate, Bucket):
        return counted | {"burst": rate.burst, "interval_s": rate.interval.total_seconds()}
    block = rate.block.total_seconds() if rate.block is not None else None
    return counted | {"requests": rate.hits, "per_s": rate.per.total_seconds(), "block_s": block}
