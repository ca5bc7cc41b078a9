"""A Gradio app in place of Stable Diffusion: it paints hills for a few words, without a model.

    pip install gradio pillow
    python app.py            # listens on 127.0.0.1:7860; PORT says otherwise

A model takes its time: SECONDS_PER_STEP=0.2 does as well.
Vigile stands before it and tells it who is asking in X-User-Id.
"""

import hashlib
import math
import os
import time

import gradio as gr
from PIL import Image, ImageDraw, ImageOps

SECONDS_PER_STEP = float(os.environ.get("SECONDS_PER_STEP", "0"))

# In another site's frame Chromium asks for <a download> without the frame's cookie; a fetch takes it along. Firefox sends
# the cookie, and saves no blob in such a frame: only Chromium has userAgentData.
DOWNLOADS = """<script>
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[download]");
  if (!navigator.userAgentData || !link?.href.startsWith(location.origin)) return;
  event.preventDefault();
  const answer = await fetch(link.href);
  if (!answer.ok) throw new Error(`${link.download}: ${answer.status}`);
  const file = document.createElement("a");
  file.href = URL.createObjectURL(await answer.blob());
  file.download = link.download;
  file.click();
  setTimeout(() => URL.revokeObjectURL(file.href), 60_000);
}, true);
</script>"""


def paint(prompt: str, steps: float, request: gr.Request):
    seed = hashlib.sha256(prompt.encode()).digest()
    size, steps = 384, int(steps)
    night, dawn = (20 + seed[0] // 6, 24 + seed[1] // 5, 70 + seed[2] // 3), (255, 190 + seed[3] // 5, 150)
    image = ImageOps.colorize(Image.linear_gradient("L").resize((size, size)), night, dawn)
    draw = ImageDraw.Draw(image)
    x, y = 60 + seed[4], 60 + seed[5] // 3
    draw.ellipse((x, y, x + 44, y + 44), fill=(255, 240, 214))
    for step in range(1, steps + 1):
        near = step / steps
        hills = [(at, size * (0.45 + near / 2) + hill(at, seed[step % 32], seed[step * 7 % 32])) for at in range(size)]
        shade = tuple(int(far * (1 - near) + low * near / 2) for far, low in zip(dawn, night))
        draw.polygon([(0, size), *hills, (size, size)], fill=shade)
        time.sleep(SECONDS_PER_STEP)
    draw.text((14, 12), prompt, fill="white", font_size=16)
    user = request.headers.get("x-user-id", "nobody")
    return image, f"{user}: {prompt}"


def hill(at: int, width: int, shift: int) -> float:
    return 22 * math.sin(at / (24 + width / 5) + shift) + 7 * math.sin(at / 13 + width)


def measure(file: str | None) -> str:
    return "no file" if file is None else f"{os.path.basename(file)}: {os.path.getsize(file)} bytes"


with gr.Blocks(title="Stable Diffusion") as app:
    with gr.Row():
        prompt = gr.Textbox(label="Prompt", value="hills at dawn", elem_id="prompt")
        steps = gr.Slider(1, 50, value=20, step=1, label="Steps", elem_id="steps")
    generate = gr.Button("Generate", variant="primary", elem_id="generate")
    image = gr.Image(label="Image", elem_id="image", format="png")
    caption = gr.Textbox(label="Caption", elem_id="caption")
    generate.click(paint, [prompt, steps], [image, caption])
    upload = gr.File(label="Upload", elem_id="upload")
    size = gr.Textbox(label="Size", elem_id="size")
    upload.upload(measure, upload, size)

if __name__ == "__main__":
    port = int(os.environ.get("PORT", "7860"))
    app.queue().launch(server_name="127.0.0.1", server_port=port, share=False, head=DOWNLOADS)
