//! The apps that visitors meet, and how each is started.

use crate::served::Program;
use crate::stage::Variant;

const GRADIO: Program = Program {
    venv: "gradio-6",
    before: &[],
    file: Some("envoy/stable-diffusion/app.py"),
    after: &[],
    answers: "/config",
};

const GRADIO_3: Program =
    Program { venv: "gradio-3", file: Some("tests/browser/gradio_3.py"), ..GRADIO };

const GRADIO_LOGIN: Program = Program { file: Some("tests/browser/gradio_login.py"), ..GRADIO };

const STREAMLIT: Program = Program {
    venv: "streamlit",
    before: &["-m", "streamlit", "run"],
    file: Some("tests/browser/apps/streamlit_app.py"),
    after: &[
        "--server.address=127.0.0.1",
        "--server.port={port}",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
    ],
    answers: "/_stcore/health",
};

/// Jupyter's own token is off: Vigile stands in its place.
const JUPYTERLAB: Program = Program {
    venv: "jupyterlab",
    before: &["-m", "jupyterlab"],
    file: None,
    after: &[
        "--ip=127.0.0.1",
        "--port={port}",
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
        "--ServerApp.allow_remote_access=True",
    ],
    answers: "/api",
};

const MARIMO: Program = Program {
    venv: "marimo",
    before: &["-m", "marimo", "run"],
    file: Some("tests/browser/apps/marimo_app.py"),
    after: &["--host=127.0.0.1", "--port={port}", "--headless", "--no-token"],
    answers: "/health",
};

impl Variant {
    /// The app behind it, and a number that no other app has.
    pub(crate) fn program(self) -> (usize, Program) {
        match self {
            Self::AsItStands | Self::Tightest | Self::Neighbour => (0, GRADIO),
            Self::Websocket => (1, GRADIO_3),
            Self::Login | Self::LoginUntouched => (2, GRADIO_LOGIN),
            Self::Streamlit => (3, STREAMLIT),
            Self::Jupyterlab => (4, JUPYTERLAB),
            Self::Marimo => (5, MARIMO),
            Self::Worker | Self::Down => unreachable!("an app of this process: Stage::upstream"),
        }
    }
}
