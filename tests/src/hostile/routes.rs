//! The routes of a module by their text, and which of them a request is for.

use serde_json::Value;

use super::model::{matches, paths, words};

/// A route, by its text.
pub struct Route {
    paths: Vec<String>,
    /// Empty for all.
    methods: Vec<String>,
    pub text: Value,
}

impl Route {
    pub fn of(text: &Value) -> Self {
        Self { paths: paths(text), methods: words(&text["methods"]), text: text.clone() }
    }

    fn lists(&self, method: &str) -> bool {
        let takes = |one: &String| one == method || (one == "GET" && method == "HEAD");
        match self.methods.is_empty() {
            true => !["TRACE", "CONNECT"].contains(&method),
            false => self.methods.iter().any(takes),
        }
    }

    /// Whether two ask for the same, by their texts.
    fn is_like(&self, other: &Self) -> bool {
        let mut texts = [self.text.clone(), other.text.clone()];
        for text in &mut texts {
            for key in ["path", "paths", "methods"] {
                text.as_object_mut().unwrap().remove(key);
            }
        }
        texts[0] == texts[1]
    }
}

/// The routes of a path, in their order.
pub struct Found<'m>(Vec<&'m Route>);

impl<'m> Found<'m> {
    /// The first route whose path takes it, and those that have the same path.
    pub fn of(routes: &'m [Route], path: &[u8]) -> Option<Self> {
        let first = |route: &'m Route| route.paths.iter().find(|one| matches(one, path));
        let pattern = routes.iter().find_map(first)?;
        let plain = |path: &str| path.trim_end_matches('/').to_owned();
        let has_it = |route: &&Route| route.paths.iter().any(|one| plain(one) == plain(pattern));
        Some(Self(routes.iter().filter(has_it).collect()))
    }

    pub fn route(&self, method: &str) -> Option<&'m Route> {
        self.0.iter().find(|route| route.lists(method)).copied()
    }

    /// Whether another method would be for a route that asks for something else.
    pub fn differs(&self, method: &str, other: &str) -> bool {
        let listed = self.0.iter().any(|route| !route.methods.is_empty());
        let Some(one) = self.route(method).filter(|_| listed) else { return false };
        self.route(other).is_none_or(|other| !one.is_like(other))
    }
}

/// A route that reads bodies, by its text.
#[derive(Clone)]
pub struct Reading {
    pub path: String,
    /// Empty for all.
    pub methods: Vec<String>,
    pub max_bytes: u64,
    pub media_types: Vec<String>,
}

impl Reading {
    pub fn all(route: &Value) -> Vec<Self> {
        let Some(body) = route.get("body") else { return Vec::new() };
        let of = |path: String| Self {
            path: path.replace("**", "x/y").replace('*', "z"),
            methods: words(&route["methods"]),
            media_types: match words(&body["media_types"]) {
                kinds if kinds.is_empty() => vec!["application/json".to_owned()],
                kinds => kinds,
            },
            max_bytes: body["max_bytes"].as_f64().map_or(65_536, |bytes| bytes as u64),
        };
        paths(route).into_iter().map(of).collect()
    }

    /// Whether it is for this method and nothing but this path.
    pub fn takes(&self, method: &[u8], path: &[u8]) -> bool {
        let listed = self.methods.iter().any(|one| one.as_bytes() == method);
        self.path.as_bytes() == path && (listed || self.methods.is_empty())
    }
}
