//! A visitor with a token: what he does in the frame, and how long.

use serde_json::json;
use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::frame::FRAME;
use vigile_browser_tests::stage::{MODULE, Stage, Variant};
use vigile_browser_tests::traces::holds;
use vigile_tests::policies::project;

const SAMPLE: Variant = Variant::AsItStands;

/// Scenario 4 of 000_c7cfb956090c32fd.txt: a picture is generated, a file goes up and one comes down.
pub(crate) fn granted(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), SAMPLE, async |visit| {
        visit.resize(1200, 842, 1.0, false).await;
        visit.open_module("alice", "").await;
        visit.generate("hills at dawn", 12).await;
        visit.caption("alice: hills at dawn").await;
        let image = visit.image().await;
        assert!(image.starts_with(b"\x89PNG") && image.len() > 3000, "{} bytes", image.len());
        visit.leave().await;
        visit.value("document.activeElement.blur()").await;
        visit.picture("visitor").await;
        visit.enter(FRAME).await;

        let file = project().join("envoy/stable-diffusion/app.py");
        let bytes = std::fs::read(&file).unwrap();
        let upload = visit.element("#upload input[type=file]").await;
        upload.send_keys(file.display().to_string()).await.unwrap();
        let size = format!("app.py: {} bytes", bytes.len());
        visit
            .until(&format!("return document.querySelector('#size textarea').value === '{size}'"))
            .await;

        visit.click("#image a[download]").await;
        assert_eq!(visit.downloaded("image.png").await, image);
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// The platform's page renews the session before its end, and the app goes on beyond it.
pub(crate) fn a_renewed_session(stage: &Stage) {
    stage.visit(&Settings::english(), SAMPLE, async |visit| {
        visit.open_module("rene", "life=20").await;
        visit.leave().await;
        // Ten seconds of work that begin six before the end: the picture is asked for after it.
        visit.until("return Date.now() > seen.ends[0] - 6000").await;
        visit.enter(FRAME).await;
        visit.generate("across the end", 50).await;
        visit.caption("rene: across the end").await;
        visit.image().await;
        visit.outlive(0).await;
        visit.generate("after the end", 1).await;
        visit.caption("rene: after the end").await;
    });
    let lines = stage.logged(SAMPLE, "rene");
    let renewals: Vec<_> = lines.iter().filter(|line| line["reason"] == "refresh.done").collect();
    // The opening, and one renewal.
    assert!(
        renewals.len() == 2 && renewals.iter().all(|line| line["status"] == 204),
        "{renewals:?}"
    );
    let refused: Vec<_> = lines.iter().filter(|line| line["verdict"] == "refused").collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(stage.platform.tokens_of("rene").len(), 2);
}

/// Without it, the app says in the visitor's language that the session has ended.
pub(crate) fn an_ended_session(stage: &Stage) {
    stage.visit(&Settings::french(), SAMPLE, async |visit| {
        visit.open_module("lea", "").await;
        visit.end_in(5).await;
        visit.outlive(1).await;
        visit.generate("trop tard", 1).await;
        let toast = visit
            .until("return document.querySelector('[data-testid=toast-text]')?.textContent")
            .await;
        assert_eq!(toast, "La session est terminée. Rouvrez ce service depuis la plateforme");
        visit
            .until("return getComputedStyle(document.querySelector('.toast-body')).opacity === '1'")
            .await;
        visit.leave().await;
        visit.picture("ended-session").await;
        // Whoever reloads the frame gets the page that tells the platform, which opens it again.
        visit.enter(FRAME).await;
        visit.value("setTimeout(() => location.reload())").await;
        visit.leave().await;
        visit.until("return seen.ends.length === 3").await;
        let origin = format!("https://{MODULE}");
        assert_eq!(visit.refusals().await, json!([[origin, "token.expired"]]));
        visit.enter(FRAME).await;
        visit.until("return document.querySelector('#generate') !== null").await;
        visit.generate("de nouveau", 1).await;
        visit.caption("lea: de nouveau").await;
    });
    let heard = stage.app(SAMPLE).recorder.bytes();
    assert!(holds(&heard, b"de nouveau") && !holds(&heard, b"trop tard"), "the app heard of it");
}

/// A quota that is used up is told in the app.
pub(crate) fn a_used_up_quota(stage: &Stage) {
    stage.visit(&Settings::french(), SAMPLE, async |visit| {
        visit.open_module("quentin", "").await;
        // As calls of the page's own: the visitor's session goes along.
        let script = "
            if (!window.spent) window.spent = (async () => {
                const call = { method: 'POST', body: '{}' };
                const asked = Array.from({ length: 11 }, () => fetch('/gradio_api/queue/join', call));
                return (await Promise.all(asked)).filter(answer => answer.status === 429).length;
            })();
            return window.spent";
        assert_eq!(visit.until(script).await, 1, "ten a day");
        visit.generate("one too many", 1).await;
        let toast = visit
            .until("return document.querySelector('[data-testid=toast-text]')?.textContent")
            .await;
        assert!(toast.as_str().unwrap().contains("Votre quota de générations est épuisé"), "{toast}");
        visit.leave().await;
        visit.picture("used-up-quota").await;
    });
    assert!(!holds(&stage.app(SAMPLE).recorder.bytes(), b"one too many"), "the app heard of it");
}

/// An event stream that was admitted is not cut; what is asked for after the end is refused.
pub(crate) fn a_stream_past_the_end(stage: &Stage) {
    stage.visit(&Settings::english(), SAMPLE, async |visit| {
        visit.open_module("sven", "").await;
        visit.generate("a long one", 50).await;
        visit.until("return document.querySelector('#image .progress-text, #image .eta-bar, #image .generating') !== null").await;
        visit.end_in(5).await;
        visit.caption("sven: a long one").await;
        visit.leave().await;
        assert_eq!(visit.value("return Date.now() > seen.ends[1]").await, true);
        visit.enter(FRAME).await;
        visit
            .until("const image = document.querySelector('#image img'); return image && image.complete")
            .await;
        assert_eq!(visit.value("return document.querySelector('#image img').naturalWidth").await, 0);
    });
}
