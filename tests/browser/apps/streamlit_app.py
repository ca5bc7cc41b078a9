"""A Streamlit app: a file goes up, one comes down, and a button counts over the websocket."""

import streamlit as st

# In another site's frame, Chromium asks for a download without the frame's cookie; a fetch takes it along.
# Firefox sends the cookie, and saves no blob in such a frame: only Chromium has userAgentData.
# Streamlit clicks a link that stands in no document, so no listener hears of it.
DOWNLOADS = """<script>
if (!window.fetchesDownloads) {
  window.fetchesDownloads = true;
  const click = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = async function () {
    const fetches = navigator.userAgentData && this.hasAttribute("download") && this.href.startsWith(location.origin);
    if (!fetches) return click.call(this);
    const answer = await fetch(this.href);
    if (!answer.ok) throw new Error(`${this.href}: ${answer.status}`);
    const file = document.createElement("a");
    file.href = URL.createObjectURL(await answer.blob());
    file.download = this.download || "lines.txt";
    click.call(file);
    setTimeout(() => URL.revokeObjectURL(file.href), 60_000);
  };
}
</script>"""
st.html(DOWNLOADS, unsafe_allow_javascript=True)

state = st.session_state
if "turns" not in state:
    state.turns = 0

user = st.context.headers.get("X-User-Id", "nobody")
if st.button("Turn"):
    state.turns += 1
st.text(f"{user}: turned {state.turns}")

file = st.file_uploader("Upload")
if file is not None:
    st.text(f"{file.name}: {len(file.getvalue())} bytes")

st.download_button("Download", "line\n" * 20_000, file_name="lines.txt", mime="text/plain")
