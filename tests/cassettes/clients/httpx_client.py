"""Ask for paths with httpx; print what came as JSON: status, and the body in base64."""

import base64
import json
import sys

import httpx

base, *paths = sys.argv[1:]
with httpx.Client() as client:
    answers = [client.get(base + path) for path in paths]
    answers.append(client.post(f"{base}/v1/orders", content=iter([b"one,", b"two"])))  # in chunks
sys.stdout.write(
    json.dumps([[answer.status_code, base64.b64encode(answer.content).decode()] for answer in answers])
)
