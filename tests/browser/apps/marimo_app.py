# A marimo notebook, as `marimo run` serves it: a button, and what is computed of it in the kernel.
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    turn = mo.ui.button(label="Turn", value=0, on_click=lambda turns: turns + 1)
    turn
    return mo, turn


@app.cell
def _(mo, turn):
    mo.md(f"turned {turn.value}, which makes {turn.value * 6 * 7}")
    return


if __name__ == "__main__":
    app.run()
