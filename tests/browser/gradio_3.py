"""A Gradio 3 app with a queue, which that line runs over a websocket."""

import os

import gradio as gr


def paint(prompt: str, request: gr.Request) -> str:
    return f"{request.headers['x-user-id']}: {prompt}"


with gr.Blocks(title="Stable Diffusion") as app:
    prompt = gr.Textbox(label="Prompt", elem_id="prompt")
    generate = gr.Button("Generate", elem_id="generate")
    caption = gr.Textbox(label="Caption", elem_id="caption")
    generate.click(paint, prompt, caption)

if __name__ == "__main__":
    app.queue().launch(server_name="127.0.0.1", server_port=int(os.environ["PORT"]), share=False)
