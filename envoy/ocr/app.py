"""nunoOcr in miniature: the endpoints of 001_d9637b39f961e8b1.txt, with nothing of security in them.

    uvicorn app:app --host 127.0.0.1 --port 8000

Whoever reaches it has passed Envoy. It calls its provider at PROVIDER_URL: Envoy's listener on
loopback, which adds the key, or the provider itself with the key that came with the call.
"""

import os

import httpx
from fastapi import FastAPI, File, HTTPException, Request, UploadFile

app = FastAPI()

PROVIDER_URL = os.environ.get("PROVIDER_URL", "http://127.0.0.1:8801")


def variable(name: str) -> list[str]:
    """The items of a variable that Envoy reads too; none where it is not set."""
    return [item.strip() for item in os.environ.get(name, "").split(",") if item.strip()]


@app.get("/health")
def health() -> dict:
    addresses = variable("ALLOWED_IPS")
    return {
        "status": "ok",
        "ocr_ready": True,
        "vision_provider": os.environ.get("VISION_PROVIDER", "openai"),
        "vision_configured": True,
        "security": {
            "service_api_key_required": bool(variable("SERVICE_API_KEY")),
            "ip_whitelist_enabled": bool(addresses),
            "allowed_ips_count": len(addresses),
        },
    }


@app.post("/v1/analyze-wound")
async def analyze_wound(request: Request, wound_image: UploadFile = File()) -> dict:
    image = await wound_image.read()
    # The key that Vigile put into the call, where the policy forwards one.
    key = request.headers.get("authorization")
    try:
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(
                f"{PROVIDER_URL}/v1/chat/completions",
                headers={"authorization": key} if key else {},
                json={"model": os.environ.get("MODEL_NAME", "vision"), "bytes": len(image)},
            )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise HTTPException(502, "The provider did not answer") from error
    return {"success": True, "data": {"type_plaie": answer.json()["choices"][0]["message"]["content"]}}
