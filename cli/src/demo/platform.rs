//! The platform: a page with the module in its frame, and the tokens that open it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use crate::mint::{Claims, Signer};
use crate::system::now;

const PAGE: &str = include_str!("platform.html");
const FRAME: &str = include_str!("../../../docs/vigile-frame.js");

/// How long a token lives here: short, so that a refresh can be watched.
const LIFE: i64 = 40;

/// What the platform knows.
pub(super) struct Platform {
    pub(super) signer: Signer,
    /// A key that is not the platform's.
    pub(super) forger: Signer,
    pub(super) module: &'static str,
    pub(super) address: String,
}

/// The platform's routes. Its answers hold tokens: nobody may store them.
pub(super) fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/tokens", post(tokens))
        .route("/vigile-frame.js", get(([(header::CONTENT_TYPE, "text/javascript")], FRAME)))
        .with_state(platform)
}

async fn page(State(platform): State<Arc<Platform>>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Html(PAGE.replace("@module@", &platform.address)))
}

#[derive(Deserialize)]
struct Wish {
    kind: String,
}

async fn tokens(State(platform): State<Arc<Platform>>, Query(wish): Query<Wish>) -> Response {
    match platform.token(&wish.kind) {
        Ok(token) => {
            let body = json!({ "token": token, "expires_in": LIFE }).to_string();
            (
                [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_TYPE, "application/json")],
                body,
            )
                .into_response()
        }
        Err(problem) => (StatusCode::INTERNAL_SERVER_ERROR, problem).into_response(),
    }
}

impl Platform {
    /// A token of alice's: `good`, `expired`, `forged`, or `foreign` (for another module).
    pub(super) fn token(&self, kind: &str) -> Result<String, String> {
        let issued = if kind == "expired" { now().saturating_sub(3600) } else { now() };
        let module = if kind == "foreign" { "another-module" } else { self.module };
        let mut claims = Claims::new();
        claims.insert("sub".into(), "alice".into());
        claims.insert("moduleName".into(), module.into());
        claims.insert("iat".into(), issued.into());
        claims.insert("exp".into(), issued.saturating_add(LIFE).into());
        let signer = if kind == "forged" { &self.forger } else { &self.signer };
        signer.sign(&claims)
    }
}
