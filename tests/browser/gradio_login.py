"""The sample's app, from PYTHONPATH, behind Gradio's own login; LOGIN is user:password."""

import os

from app import DOWNLOADS, app

if __name__ == "__main__":
    user, password = os.environ["LOGIN"].split(":")
    port = int(os.environ["PORT"])
    app.queue().launch(server_name="127.0.0.1", server_port=port, share=False, head=DOWNLOADS, auth=(user, password))
