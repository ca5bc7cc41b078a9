//! The platform, https://iahome.fr: its page around the module's frame, and the tokens that it mints.

use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::site;
use vigile_tests::case::Recipe;
use vigile_tests::keys::{self, RING};

/// The tokens that this platform has handed out, by user.
#[derive(Clone, Default)]
pub struct Platform {
    minted: Arc<Mutex<Vec<Minted>>>,
}

/// A token and whose it is.
#[derive(Clone)]
pub struct Minted {
    pub user: String,
    pub token: String,
}

/// What the page asks for; a platform would know it from its visitor's own session.
#[derive(Deserialize)]
struct Wish {
    user: String,
    /// Seconds, negative ones for a token that has expired.
    life: i64,
    /// `stranger` for a key that the module does not know.
    key: Option<String>,
}

impl Platform {
    pub fn router(&self) -> Router {
        let minting = Router::new().route("/session", get(session)).with_state(self.clone());
        site::files("platform").merge(minting)
    }

    /// A token as the platform makes it.
    pub fn mint(&self, user: &str, life: i64) -> String {
        self.mint_with(None, user, life)
    }

    /// Every token that a user was given.
    pub fn tokens_of(&self, user: &str) -> Vec<String> {
        let minted = self.minted.lock().unwrap();
        minted.iter().filter(|one| one.user == user).map(|one| one.token.clone()).collect()
    }

    fn mint_with(&self, key: Option<String>, user: &str, life: i64) -> String {
        let token = RING.mint(&Recipe {
            key,
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

async fn session(
    State(platform): State<Platform>,
    Query(wish): Query<Wish>,
) -> ([(&'static str, &'static str); 1], Json<Value>) {
    let token = platform.mint_with(wish.key, &wish.user, wish.life);
    let session = json!({ "token": token, "expires": keys::now() + wish.life });
    ([("cache-control", "no-store")], Json(session))
}
