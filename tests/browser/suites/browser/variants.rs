//! Other browsers, other apps, other hosts, a tighter policy.

use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::frame::FRAME;
use vigile_browser_tests::stage::{NEIGHBOUR, Stage, Variant};
use vigile_browser_tests::visit::Visit;

/// The control of all other trials: a plain cookie of a third party is not sent, a partitioned one is.
/// Where the browser is told to allow them, both are: so the control can fail.
pub(crate) fn third_party_cookies_are_blocked(stage: &Stage) {
    for (blocks, seen) in [(true, "partitioned=1"), (false, "partitioned=1 plain=1")] {
        let settings = Settings { blocks_third_parties: blocks, ..Settings::english() };
        stage.visit(&settings, Variant::AsItStands, async |visit| {
            visit.open("https://iahome.fr/").await;
            assert_eq!(cookies_of_a_third_party(visit).await, seen, "blocked: {blocks}");
            if !blocks {
                visit.open_module("thea", "").await;
                visit.generate("allowed", 1).await;
                visit.caption("thea: allowed").await;
            }
        });
    }
}

async fn cookies_of_a_third_party(visit: &Visit) -> String {
    let script = "
        if (!window.cookies) window.cookies = (async () => {
            const site = 'https://evil.example/cookies';
            await fetch(`${site}/set`, { credentials: 'include' });
            return (await fetch(`${site}/seen`, { credentials: 'include' })).text();
        })();
        return window.cookies";
    visit.until(script).await.as_str().unwrap().to_owned()
}

/// Gradio 6 works under the tightest policy without a breach, and a breach would be seen.
pub(crate) fn the_tightest_policy(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), Variant::Tightest, async |visit| {
        visit.open_module("cora", "").await;
        visit.generate("tight", 1).await;
        visit.caption("cora: tight").await;
        visit.image().await;
        let file = vigile_tests::policies::project().join("LICENSE-MIT");
        let upload = visit.element("#upload input[type=file]").await;
        upload.send_keys(file.display().to_string()).await.unwrap();
        visit.until("return document.querySelector('#size textarea').value.startsWith('LICENSE-MIT: ')").await;
        visit.click("#image a[download]").await;
        visit.downloaded("image.png").await;
        for panel in ["show-api", "settings"] {
            visit.value(&format!("document.querySelector('button.{panel}').click()")).await;
            visit.until("return document.querySelector('.api-docs') !== null").await;
            visit.value("document.querySelector('.api-docs .backdrop').click()").await;
            visit.until("return document.querySelector('.api-docs') === null").await;
        }
        visit.value("console.log('the last of the app'); new Image().src = 'https://evil.example/x.png'").await;
    });
    let console = traces.console();
    let last = console.iter().position(|line| line.contains("the last of the app")).unwrap();
    let is_breach = |line: &&String| line.contains("Content Security Policy");
    assert_eq!(console[..last].iter().filter(is_breach).count(), 0, "{console:#?}");
    assert_eq!(console[last..].iter().filter(is_breach).count(), 1, "{console:#?}");
}

/// On the platform's own registrable domain an ordinary cookie is enough, and is what the browser gets.
pub(crate) fn a_neighbour_of_the_platform(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), Variant::Neighbour, async |visit| {
        visit.open_module("nina", &format!("life=20&module=https://{NEIGHBOUR}")).await;
        visit.outlive(0).await;
        visit.generate("next door", 1).await;
        visit.caption("nina: next door").await;
    });
    let log = traces.net_log();
    let cookies: Vec<_> = log.to(NEIGHBOUR).filter_map(|sent| sent.header("cookie")).collect();
    assert!(
        cookies.len() > 50 && cookies.iter().all(|it| it.starts_with("__Host-vigile=")),
        "{cookies:?}"
    );
    for token in stage.platform.tokens_of("nina").iter().take(2) {
        assert!(cookies.iter().any(|cookie| cookie.ends_with(token)), "each token had its time");
    }
}

/// Gradio 3 runs its queue over a websocket, which carries no Fetch Metadata.
pub(crate) fn gradio_3_over_a_websocket(stage: &Stage) {
    stage.visit(&Settings::english(), Variant::Websocket, async |visit| {
        visit.open_module("walt", "").await;
        visit.fill("#prompt textarea", "over a socket").await;
        visit.click("#generate").await;
        visit.caption("walt: over a socket").await;
        // Another site opens one as well, from where the visitor's cookie goes along.
        visit.add_advert("https://evil.example/frame.html").await;
        let script = "
            if (!window.ended) window.ended = new Promise(done => {
                const socket = new WebSocket('wss://stablediffusion.regispailler.fr/queue/join');
                socket.onopen = () => done('opened');
                socket.onerror = () => done('refused');
            });
            return window.ended";
        assert_eq!(visit.until(script).await, "refused");
        visit.enter(FRAME).await;
    });
    let logged = stage.logged(Variant::Websocket, "walt");
    let joins = |reason: &str| {
        let of =
            |line: &&serde_json::Value| line["path"] == "/queue/join" && line["reason"] == reason;
        logged.iter().filter(of).count()
    };
    assert_eq!((joins("allowed.token"), joins("origin.foreign")), (1, 1));
    let heads = stage.app(Variant::Websocket).recorder.heads_of("walt");
    let sockets: Vec<_> =
        heads.iter().filter(|head| head.line.starts_with("GET /queue/join")).collect();
    assert_eq!(sockets.len(), 1);
    assert!(sockets[0].headers.contains("upgrade: websocket"));
}
