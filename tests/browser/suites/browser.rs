//! 000_c7cfb956090c32fd.txt in a real Chromium with third-party cookies blocked, and in a real Firefox as it comes: the sample
//! `envoy/stable-diffusion` as it stands, real Gradio, platform and module on two registrable domains.
//!
//! Where Chromium or a Gradio is missing, a trial is skipped and says why; with `CI` set it fails. The
//! pictures of a run are in `target/browser/`; `VIGILE_WRITE_IMAGES=1` writes those of the documentation
//! to `docs/images/`.

mod browser {
    pub(crate) mod app_login;
    mod block_page;
    pub(crate) mod hostile;
    pub(crate) mod in_a_tab;
    pub(crate) mod in_the_frame;
    pub(crate) mod session;
    pub(crate) mod states;
    pub(crate) mod token;
    pub(crate) mod variants;
    pub(crate) mod workers;
}

use browser::{
    app_login, hostile, in_a_tab, in_the_frame, session, states, token, variants, workers,
};
use vigile_browser_tests::trials::{self, Scenario};
use vigile_tests::tools;

const SCENARIOS: [Scenario; 34] = [
    // Those that wait for something come first.
    ("session/renewed_before_its_end_it_goes_on", session::a_renewed_session),
    (
        "variants/a_neighbour_of_the_platform_has_a_lax_cookie",
        variants::a_neighbour_of_the_platform,
    ),
    ("session/a_stream_past_the_end_is_not_cut", session::a_stream_past_the_end),
    ("workers/pass_through", workers::pass_through),
    ("workers/pass_through_by_address", workers::pass_through_by_address),
    ("workers/cache_first", workers::cache_first),
    ("workers/navigation_preload", workers::navigation_preload),
    ("states/unreachable_until_the_app_is_up", states::unreachable),
    ("states/network_where_the_browser_keeps_it_apart", states::network),
    ("states/blocked_where_no_cookie_is_kept", states::blocked),
    ("1_direct_access/leads_to_the_platform", in_a_tab::leads_to_the_platform),
    ("1_direct_access/without_scripts", in_a_tab::leads_to_the_platform_without_scripts),
    ("2_invalid_token/in_the_frame", in_the_frame::invalid_token),
    ("2_invalid_token/before_it_opens", in_the_frame::refused_before_it_opens),
    ("session/an_ended_one_says_so_in_gradio", session::an_ended_session),
    ("1_direct_access/in_french_on_a_phone", in_a_tab::on_a_phone),
    ("1_direct_access/in_english_left_by_keyboard", in_a_tab::left_by_keyboard),
    ("3_expired_token/in_the_frame", in_the_frame::expired_token),
    ("3_expired_token/mended_by_the_platform", in_the_frame::an_expired_token_is_mended),
    ("4_granted/generates_uploads_downloads", session::granted),
    ("4_granted/a_used_up_quota_is_told", session::a_used_up_quota),
    ("token/is_nowhere_afterwards", token::is_nowhere),
    ("token/a_copied_address_is_refused_in_a_tab", token::a_copied_address),
    ("hostile/cannot_frame_the_module", hostile::cannot_frame_the_module),
    ("hostile/is_not_told", in_the_frame::nobody_else_is_told),
    ("hostile/cannot_plant_its_session", hostile::cannot_plant_its_session),
    ("hostile/cannot_send_itself_in", hostile::cannot_send_itself_in),
    ("hostile/a_planted_session_gives_way", hostile::a_planted_session_gives_way),
    ("hostile/cannot_post_with_the_visitors_cookie", hostile::cannot_post_with_the_visitors_cookie),
    ("variants/gradio_3_over_a_websocket", variants::gradio_3_over_a_websocket),
    ("app_login/stays_where_it_is_partitioned", app_login::stays_where_it_is_partitioned),
    ("app_login/is_lost_where_it_is_not", app_login::is_lost_where_it_is_not),
    ("variants/third_party_cookies_are_blocked", variants::third_party_cookies_are_blocked),
    ("variants/the_tightest_policy_is_not_breached", variants::the_tightest_policy),
];

/// Those of them that a Firefox runs as well, by names that begin with `firefox/`. The others read Chromium's log of the
/// network or speak its protocol.
const IN_FIREFOX: [&str; 16] = [
    "workers/pass_through",
    "workers/cache_first",
    "workers/navigation_preload",
    "session/renewed_before_its_end_it_goes_on",
    "session/a_stream_past_the_end_is_not_cut",
    "session/an_ended_one_says_so_in_gradio",
    "1_direct_access/leads_to_the_platform",
    "2_invalid_token/in_the_frame",
    "2_invalid_token/before_it_opens",
    "3_expired_token/in_the_frame",
    "3_expired_token/mended_by_the_platform",
    "4_granted/generates_uploads_downloads",
    "4_granted/a_used_up_quota_is_told",
    "hostile/is_not_told",
    "variants/gradio_3_over_a_websocket",
    "app_login/stays_where_it_is_partitioned",
];

fn main() {
    trials::run(&SCENARIOS, &IN_FIREFOX, tools::envoys(), |name| match name.split('/').next() {
        Some("workers" | "states") => &[],
        _ if name.contains("gradio_3") => &["gradio-6", "gradio-3"],
        _ => &["gradio-6"],
    })
}
