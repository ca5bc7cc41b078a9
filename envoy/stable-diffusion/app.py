"""A Gradio app in place of Stable Diffusion: it paints a picture of a few words, without a model.

    pip install gradio pillow
    python app.py            # listens on 127.0.0.1:7860

Vigile stands before it and tells it who is asking in X-User-Id.
"""

import hashlib
import os

import gradio as gr
from PIL import Image, ImageDraw


def paint(prompt: str, steps: float, request: gr.Request):
    seed = hashlib.sha256(prompt.encode()).digest()
    size = 384
    image = Image.new("RGB", (size, size), tuple(seed[:3]))
    draw = ImageDraw.Draw(image)
    for step in range(int(steps)):
        byte = [seed[(step * 5 + at) % len(seed)] for at in range(5)]
        x, y, radius = byte[0] * size // 255, byte[1] * size // 255, 10 + byte[2] // 4
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(byte[3], byte[4], byte[0]))
    draw.text((12, 12), prompt, fill="white")
    user = request.headers.get("x-user-id", "nobody")
    return image, f"{user}: {prompt}"


def measure(file: str | None) -> str:
    return "no file" if file is None else f"{os.path.basename(file)}: {os.path.getsize(file)} bytes"


with gr.Blocks(title="Stable Diffusion") as app:
    with gr.Row():
        prompt = gr.Textbox(label="Prompt", value="a lighthouse", elem_id="prompt")
        steps = gr.Slider(1, 50, value=20, step=1, label="Steps")
    generate = gr.Button("Generate", elem_id="generate")
    image = gr.Image(label="Image", elem_id="image", format="png")
    caption = gr.Textbox(label="Caption", elem_id="caption")
    generate.click(paint, [prompt, steps], [image, caption])
    upload = gr.File(label="Upload", elem_id="upload")
    size = gr.Textbox(label="Size", elem_id="size")
    upload.upload(measure, upload, size)
    gr.DownloadButton("Download", __file__, elem_id="download")

if __name__ == "__main__":
    app.queue().launch(server_name="127.0.0.1", server_port=int(os.environ.get("PORT", "7860")), share=False)
