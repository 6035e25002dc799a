"""A small recording of our own in each format, with whatever headers, URL and bodies are to be in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import yaml

Pair = tuple[str, str]
Make = Callable[[str, Pair, str], str]  # of URL, header and body; the same on both sides


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _yaml(value: object, **options: object) -> str:
    return yaml.safe_dump(value, allow_unicode=True, **options)  # type: ignore[no-any-return, call-overload]


def vcrpy(url: str, header: Pair, body: str) -> dict[str, object]:
    name, value = header
    return {
        "version": 1,
        "interactions": [
            {
                "request": {"method": "POST", "uri": url, "body": body, "headers": {name: [value]}},
                "response": {
                    "status": {"code": 200, "message": "OK"},
                    "headers": {name: [value], "Content-Length": [str(len(body.encode()))]},
                    "body": {"string": body},
                },
            }
        ],
    }


def vcrpy_binary(url: str, header: Pair, body: str) -> str:
    """As vcrpy writes bodies that are no text."""
    data = vcrpy(url, header, body)
    data["interactions"][0]["response"]["body"]["string"] = body.encode()  # type: ignore[index]
    return _yaml(data)


def _http_interactions(url: str, header: Pair, body: dict[str, str]) -> dict[str, object]:
    name, value = header
    return {
        "http_interactions": [
            {
                "request": {"method": "post", "uri": url, "body": body, "headers": {name: [value]}},
                "response": {
                    "status": {"code": 200, "message": "OK"},
                    "headers": {name: [value]},
                    "body": body,
                    "http_version": None,
                },
                "recorded_at": "Fri, 25 Apr 2014 09:14:54 GMT",
            }
        ],
        "recorded_with": "VCR 6.0.0",
    }


def _text(body: str) -> dict[str, str]:
    return {"encoding": "UTF-8", "string": body}


def _base64(body: str) -> dict[str, str]:
    return {"encoding": "UTF-8", "base64_string": base64.encodebytes(body.encode()).decode()}


def ruby_binary(url: str, header: Pair, body: str) -> str:
    """As Ruby's psych writes text that it takes for binary: names and values in base64."""
    name, value = (base64.b64encode(text.encode()).decode() for text in header)
    inner = base64.b64encode(body.encode()).decode()
    message = f'      headers:\n        !binary "{name}":\n        - !binary |-\n          {value}\n'
    return (
        f"---\nhttp_interactions:\n- request:\n      method: post\n      uri: {json.dumps(url)}\n{message}"
        f"  response: !ruby/struct:R\n      status: {{code: 200}}\n{message}"
        f"      body:\n        string: !binary |-\n          {inner}\n"
    )


def go_vcr(url: str, header: Pair, body: str) -> str:
    name, value = header
    message = {"headers": {name: [value]}, "body": body, "content_length": len(body.encode())}
    return "---\n" + _yaml(
        {
            "version": 2,
            "interactions": [
                {
                    "id": 0,
                    "request": {"url": url, "method": "POST", "form": {}, **message},
                    "response": {"proto": "HTTP/2.0", "status": "200 OK", "code": 200, **message},
                }
            ],
        },
        default_style="|",
    )


def har(url: str, header: Pair, body: str, creator: str = "WebInspector") -> str:
    headers = [{"name": header[0], "value": header[1]}]
    encoded = base64.b64encode(body.encode()).decode()
    return _json(
        {
            "log": {
                "version": "1.2",
                "creator": {"name": creator, "version": "1"},
                "entries": [
                    {
                        "request": {
                            "method": "POST",
                            "url": url,
                            "headers": headers,
                            "cookies": [],
                            "queryString": [],
                            "postData": {"mimeType": "text/plain", "text": body},
                        },
                        "response": {
                            "status": 200,
                            "headers": headers,
                            "cookies": [],
                            "content": {
                                "size": len(body),
                                "mimeType": "a",
                                "text": encoded,
                                "encoding": "base64",
                            },
                        },
                    }
                ],
            }
        }
    )


def php_vcr(url: str, header: Pair, body: str) -> str:
    name, value = header
    entry = {
        "request": {"method": "POST", "url": url, "headers": {name: value}, "body": body},
        "response": {"status": 200, "headers": {name: value}, "body": body},
    }
    return "\n" + _yaml([entry])


def exvcr(url: str, header: Pair, body: str) -> str:
    name, value = header
    entry = {
        "request": {"body": body, "headers": {name: value}, "method": "post", "options": {}, "url": url},
        "response": {"body": body, "headers": {name: value}, "status_code": 200, "type": "ok"},
    }
    return _json([entry])


def wiremock(url: str, header: Pair, body: str) -> str:
    name, value = header
    return _json(
        {
            "request": {
                "url": url,
                "method": "POST",
                "headers": {name: {"equalTo": value}},
                "bodyPatterns": [{"equalTo": body}],
            },
            "response": {
                "status": 200,
                "base64Body": base64.b64encode(body.encode()).decode(),
                "headers": {name: value},
            },
        }
    )


def pairs(url: str, header: Pair, body: str) -> str:
    """A format of nobody: headers as lists of two."""
    message = {"headers": [list(header)], "body": body}
    return json.dumps([{"request": {"url": url, **message}, "response": message}])


FORMATS: dict[str, tuple[str, Make]] = {
    "vcrpy YAML": ("a.yaml", lambda *parts: _yaml(vcrpy(*parts))),
    "vcrpy YAML binary": ("a.yaml", vcrpy_binary),
    "vcrpy YAML flow": ("a.yaml", lambda *parts: _yaml(vcrpy(*parts), default_flow_style=True)),
    "vcrpy JSON": ("a.json", lambda *parts: _json(vcrpy(*parts))),
    "betamax": ("a.json", lambda u, h, b: json.dumps(_http_interactions(u, h, _base64(b)))),
    "Ruby VCR YAML": ("a.yml", lambda u, h, b: "---\n" + _yaml(_http_interactions(u, h, _text(b)))),
    "Ruby VCR YAML base64": ("a.yml", lambda u, h, b: "---\n" + _yaml(_http_interactions(u, h, _base64(b)))),
    "Ruby VCR YAML binary": ("a.yml", ruby_binary),
    "Ruby VCR JSON": ("a.json", lambda u, h, b: json.dumps(_http_interactions(u, h, _text(b)))),
    "go-vcr": ("a.yaml", go_vcr),
    "HAR": ("a.har", har),
    "Polly": ("recording.har", lambda u, h, b: har(u, h, b, creator="Polly.JS")),
    "PHP-VCR": ("unittest_test", php_vcr),
    "ExVCR": ("a.json", exvcr),
    "WireMock": ("a.json", wiremock),
    "pairs": ("a.json", pairs),
}
