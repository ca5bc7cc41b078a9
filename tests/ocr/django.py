"""What stands for Django's client, whose code 001_d9637b39f961e8b1.txt does not give: the same class, the
same arguments, the same call.

    NUNOOCR_SERVICE_API_KEY=... python django.py http://127.0.0.1:8765 FROM_ADDRESS
"""

import os
import sys

import httpx


class NunoOcrServiceClient:
    def __init__(self, base_url: str, service_api_key: str, local_address: str) -> None:
        self.client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {service_api_key}"},
            transport=httpx.HTTPTransport(local_address=local_address),
        )

    def analyze_wound(self, wound_image: bytes) -> httpx.Response:
        files = {"wound_image": ("wound.jpg", wound_image, "image/jpeg")}
        return self.client.post("/v1/analyze-wound", files=files)


answer = NunoOcrServiceClient(
    base_url=sys.argv[1],
    service_api_key=os.environ["NUNOOCR_SERVICE_API_KEY"],
    local_address=sys.argv[2],
).analyze_wound(b"wound")
print(answer.status_code, answer.text)
