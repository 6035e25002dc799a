"""The shapes of a botocore service model as JSON Schemas, with the names that members have on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.adapters.common import broken_reference
from contracts.pointers import escape, join, steps
from interlock.records import Finding

REQUEST, RESPONSE = "x-interlock-request", "x-interlock-response"
_WHOLE = frozenset({"integer", "long", "short", "byte", "bigInteger"})
_FRACTIONS = frozenset({"float", "double", "bigDecimal"})
_MAX_HOPS = 8


class Shapes:
    """Rewrites the shapes of a document in place. `required`: by shape, the members' own names, before that."""

    def __init__(self, document: dict[str, Any], protocol: str, notes: list[Finding]) -> None:
        self._document = document
        self._notes = notes
        self._json = protocol in {"json", "rest-json"}
        self._query = protocol == "query"
        self._kinds: dict[str, str] = {}
        self.required: dict[str, frozenset[str]] = {}

    def rewrite(self) -> None:
        """Every shape becomes a schema; what the model says beside it stays for the reader."""
        shapes = self._document["shapes"]
        for name in [name for name, shape in shapes.items() if not isinstance(shape, dict)]:
            del shapes[name]
        self._kinds = {name: str(shape.get("type")) for name, shape in shapes.items()}
        self.required = {name: frozenset(_texts(shape.get("required"))) for name, shape in shapes.items()}
        made = {name: self._schema(str(name), shape) for name, shape in shapes.items()}
        for name, schema in made.items():
            for word in ("type", "required", "enum", "pattern"):
                shapes[name].pop(word, None)
            shapes[name].update(schema)

    def keep(self, at: str, name: str, schema: dict[str, Any]) -> str:
        """Put a schema of ours beside a node of the document; its pointer."""
        node = self._document
        for step in at.split("/")[1:]:
            node = node[step.replace("~1", "/").replace("~0", "~")]
        node[name] = schema
        return join(at, name)

    def refer(self, payload: Any) -> bool:
        """Make a payload a reference to its shape; False where it is bytes, text or a stream of events."""
        name = str(payload.get("shape")) if isinstance(payload, dict) else ""
        shape = self._document["shapes"].get(name, {})
        if self._kinds.get(name) not in {"structure", "list", "map"} or shape.get("eventstream"):
            return False
        payload["$ref"] = _reference(name)
        return True

    def located(self, member: Any, place: str) -> bool:
        """Make a member that stands in URL or header a schema of its own; whether it is a list."""
        if not isinstance(member, dict):
            return False
        kind, form = self._kinds.get(str(member.get("shape")), ""), member.get("timestampFormat")
        made = self._in_text(str(member.get("shape")), place, _MAX_HOPS)
        member.update(_moment(form) if kind == "timestamp" and isinstance(form, str) else made)
        return kind == "list"

    def _in_text(self, name: str, place: str, left: int) -> dict[str, Any]:
        """A shape as it stands in URL or header, where moments are texts."""
        shape, kind = self._document["shapes"].get(name, {}), self._kinds.get(name, "")
        if kind == "list" and left > 0:
            inner = str(mapping(shape.get("member")).get("shape"))
            return {"type": "array", "items": self._in_text(inner, place, left - 1)}
        if kind == "timestamp":
            return _moment(
                str(shape.get("timestampFormat") or ("rfc822" if place == "header" else "iso8601"))
            )
        if kind == "map":
            return {"type": "object"}
        if kind in {"blob", "structure"}:
            return {"type": "string"}
        return {"$ref": _reference(name)} if kind else {}

    def _schema(self, name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
        kind = self._kinds[name]
        if kind == "structure":
            made = self._structure(name, shape)
        elif kind == "list":
            made = {"type": "array", "items": self._inner(name, "member", shape)}
            made["xml"] = {"wrapped": shape.get("flattened") is not True}
        elif kind == "map":
            made = self._map(name, shape)
        else:
            made = _scalar(kind, shape, json=self._json)
        if limits := _limits(kind, shape):
            made.setdefault(REQUEST, {}).update(limits)
        if self._json and made:  # a null in an answer is a member that is not there
            made[RESPONSE] = {"nullable": True}
        return made

    def _structure(self, name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
        if shape.get("document") is True or shape.get("eventstream") is True:
            return {}
        properties, required = {}, []
        for own, member in mapping(shape.get("members")).items():
            if not isinstance(member, Mapping) or member.get("location"):
                continue
            key, schema = self._member(name, str(own), member)
            properties[key] = schema
            if own in self.required[name]:
                required.append(key)
        made: dict[str, Any] = {"type": "object", "properties": properties}
        if required:
            made["required"] = required
        made[REQUEST] = {"additionalProperties": False}
        if shape.get("union") is True:
            made[REQUEST] |= {"minProperties": 1, "maxProperties": 1}
        return made

    def _member(self, name: str, own: str, member: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        target = str(member.get("shape"))
        shape, kind = mapping(self._document["shapes"].get(target)), self._kinds.get(target)
        key = wire_name(member, own)
        made = self._inner(name, "members", {"members": member}, own)
        flat = shape.get("flattened") is True or member.get("flattened") is True
        if kind == "list":
            inner = mapping(shape.get("member"))
            key = wire_name(inner, key) if flat and self._query else key
            made["xml"] = {"name": key, "wrapped": not flat}
        elif kind == "map":
            made["xml"] = {"name": key, "x-flattened": flat}
        elif member.get("xmlAttribute") is True:
            made["xml"] = {"name": key.rpartition(":")[2], "attribute": True}
        return key, made

    def _map(self, name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
        names = [wire_name(mapping(shape.get(part)), part) for part in ("key", "value")]
        return {
            "type": "object",
            "additionalProperties": self._inner(name, "value", shape),
            "xml": {"x-map": names},
        }

    def _inner(
        self, name: str, part: str, holder: Mapping[str, Any], own: str | None = None
    ) -> dict[str, Any]:
        """A reference to the shape of a member."""
        node = mapping(holder.get(part))
        target = node.get("shape")
        if not isinstance(target, str) or target not in self._kinds:
            at = join("/shapes", name, part, *([own] if own else []))
            self._notes.append(broken_reference(at, target))
            return {}
        form = node.get("timestampFormat")
        if self._kinds[target] == "timestamp" and isinstance(form, str):
            return _moment(form)
        made: dict[str, Any] = {"$ref": _reference(target)}
        if part == "member" and not self._json:
            made["xml"] = {"name": wire_name(node, "member")}
        return made


def wire_name(member: Any, own: str) -> str:
    """The name of a member in a message."""
    said = member.get("locationName") if isinstance(member, Mapping) else None
    return said if isinstance(said, str) and said else own


_WRITTEN = {
    "properties": "members", "items": "member", "additionalProperties": "value",
    "minLength": "min", "minItems": "min", "minimum": "min", "minProperties": "min",
    "maxLength": "max", "maxItems": "max", "maximum": "max", "maxProperties": "max",
}  # fmt: skip


def as_written(document: Mapping[str, Any], pointer: str) -> str:
    """Where a model itself says what stands at a place of its schemas; the nearest place that it has."""
    match steps(pointer):
        case ["shapes", name, "properties", key, *_]:
            members = mapping(mapping(mapping(document.get("shapes")).get(name)).get("members"))
            own = next((own for own, member in members.items() if wire_name(member, own) == key), None)
            return join("/shapes", name, "members", *([own] if own else []))
        case ["shapes", name, word]:
            return join("/shapes", name, _WRITTEN.get(word, word))
        case ["operations", name, "x-form", *_]:
            return join("/operations", name, "input")
    return pointer


def _reference(name: str) -> str:
    return f"#/shapes/{escape(name)}"


def _scalar(kind: str, shape: Mapping[str, Any], *, json: bool) -> dict[str, Any]:
    if kind == "string":
        values = _texts(shape.get("enum"))
        return {"type": "string", "enum": values} if values else {"type": "string"}
    if kind in _WHOLE:
        return {"type": "integer"}
    if kind in _FRACTIONS:
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^(?:NaN|-?Infinity)$"}]}
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "timestamp":
        return _moment(str(shape.get("timestampFormat") or ("unixTimestamp" if json else "iso8601")))
    return {"type": "string"}


def _moment(form: str) -> dict[str, Any]:
    if form == "unixTimestamp":
        return {"type": "number"}
    return {"type": "string", "format": "date-time"} if form == "iso8601" else {"type": "string"}


def _limits(kind: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """What the service asks of a request; its own answers are not held to it, as botocore does not either."""
    words = {
        "string": ("minLength", "maxLength"),
        "list": ("minItems", "maxItems"),
        "map": ("minProperties", "maxProperties"),
    }
    least, most = words.get(kind, ("minimum", "maximum"))
    if kind not in words and kind not in _WHOLE | _FRACTIONS:
        return {}
    made = {word: shape[name] for word, name in ((least, "min"), (most, "max")) if name in shape}
    if kind == "string" and isinstance(shape.get("pattern"), str):
        made["pattern"] = shape["pattern"]
    return made


def _texts(listed: Any) -> list[str]:
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def mapping(node: Any) -> Mapping[str, Any]:
    """A node that should be an object; an empty one for what is none."""
    return node if isinstance(node, Mapping) else {}
