//! The platform, https://iahome.fr: its page around the module's frame, and the tokens that it mints.

use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tower_http::services::ServeFile;
use tower_http::set_header::SetResponseHeaderLayer;
use vigile_tests::case::Recipe;
use vigile_tests::keys::RING;
use vigile_tests::policies::project;

use crate::site;
use crate::stage::{HOSTILE, MODULE, NEIGHBOUR};

/// The tokens that this platform has handed out, by user.
#[derive(Clone, Default)]
pub struct Platform {
    minted: Arc<Mutex<Vec<Minted>>>,
}

/// A token and whose it is.
struct Minted {
    user: String,
    token: String,
}

/// What the page asks for; a platform would know it from its visitor's own session.
#[derive(Deserialize)]
struct Wish {
    user: String,
    /// Seconds, negative ones for a token that has expired.
    life: i64,
    /// `stranger` is one that the module does not know.
    key: String,
}

impl Platform {
    /// The page and the script of docs/platform.md, with the page's headers from there.
    pub fn router(&self) -> Router {
        let script = ServeFile::new(project().join("docs/vigile-frame.js"));
        let referrer = HeaderValue::from_static("strict-origin-when-cross-origin");
        site::files("platform")
            .route_service("/vigile-frame.js", script)
            .merge(Router::new().route("/token", post(token)).with_state(self.clone()))
            .layer(SetResponseHeaderLayer::overriding(CONTENT_SECURITY_POLICY, content_policy()))
            .layer(SetResponseHeaderLayer::overriding(REFERRER_POLICY, referrer))
    }

    /// A token as the platform makes it.
    pub fn mint(&self, user: &str, life: i64) -> String {
        self.mint_with("iahome", user, life)
    }

    /// Every token that a user was given.
    pub fn tokens_of(&self, user: &str) -> Vec<String> {
        let minted = self.minted.lock().unwrap();
        minted.iter().filter(|one| one.user == user).map(|one| one.token.clone()).collect()
    }

    fn mint_with(&self, key: &str, user: &str, life: i64) -> String {
        let token = RING.mint(&Recipe {
            key: Some(key.to_owned()),
            module: Some("stablediffusion".into()),
            subject: Some(user.to_owned()),
            expires: Some(format!("{life}s")),
            ..Recipe::default()
        });
        let minted = Minted { user: user.to_owned(), token: token.clone() };
        self.minted.lock().unwrap().push(minted);
        token
    }
}

/// That of docs/platform.md, with the other sites that tests put into the page.
fn content_policy() -> HeaderValue {
    let others = format!("https://{MODULE} https://{NEIGHBOUR} https://{HOSTILE}");
    let policy = format!(
        "default-src 'self'; frame-src {others}; connect-src 'self' {others}; \
         frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    );
    HeaderValue::try_from(policy).unwrap()
}

async fn token(State(platform): State<Platform>, Query(wish): Query<Wish>) -> impl IntoResponse {
    let token = platform.mint_with(&wish.key, &wish.user, wish.life);
    let answer = json!({ "token": token, "expires_in": wish.life });
    ([(CACHE_CONTROL, "no-store")], Json(answer))
}
