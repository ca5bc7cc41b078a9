//! Apps that are not Gradio in a cross-site frame, in a real Chromium with third-party cookies blocked and in a real Firefox:
//! each behind the config that `vigile init frame` writes for any app (docs/apps.md).

mod apps {
    pub(crate) mod jupyterlab;
    pub(crate) mod marimo;
    pub(crate) mod streamlit;
}

use apps::{jupyterlab, marimo, streamlit};
use vigile_browser_tests::trials::{self, Scenario};
use vigile_tests::tools;

const SCENARIOS: [Scenario; 7] = [
    ("streamlit/renewed_before_its_end_it_goes_on", streamlit::a_renewed_session),
    ("streamlit/uploads", streamlit::uploads),
    ("streamlit/downloads", streamlit::downloads),
    ("streamlit/an_ended_session_takes_no_file", streamlit::an_ended_session),
    ("jupyterlab/runs_a_kernel", jupyterlab::runs_a_kernel),
    ("marimo/computes", marimo::computes),
    ("marimo/an_ended_session_computes_no_more", marimo::an_ended_session),
];

fn main() {
    trials::run(&SCENARIOS, &SCENARIOS.map(|(name, _)| name), tools::envoys(), |name| {
        match name.split('/').next() {
            Some("streamlit") => &["streamlit"],
            Some("jupyterlab") => &["jupyterlab"],
            _ => &["marimo"],
        }
    })
}
