"""The sample's app behind Gradio's own login; LOGIN is user:password."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "envoy" / "stable-diffusion"))

from app import DOWNLOADS, app  # noqa: E402

if __name__ == "__main__":
    user, password = os.environ["LOGIN"].split(":")
    port = int(os.environ["PORT"])
    app.queue().launch(server_name="127.0.0.1", server_port=port, share=False, head=DOWNLOADS, auth=(user, password))
