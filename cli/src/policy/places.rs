//! Where callers present credentials.

use vigile_policy::Tree;

use super::{Policy, asks, routes};
use crate::config::Node;

/// Headers and parameters that carry one.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Names of headers, in lower case.
    pub headers: Vec<String>,
    /// Names of parameters of the query: they carry tokens.
    pub parameters: Vec<String>,
}

impl Policy<'_> {
    /// Where callers present credentials, by this policy's words and by custom.
    pub fn credential_places(&self) -> Places {
        let always = ["authorization", "proxy-authorization", "cookie"];
        let mut places = Places { headers: always.map(str::to_owned).into(), ..Places::default() };
        for key in self.root().get("api_keys").iter().flat_map(Node::items) {
            places.headers.extend(header(&key));
        }
        for module in self.modules() {
            let own = module.get("credentials");
            places.headers.extend(own.as_ref().and_then(header));
            let subprotocol = own.as_ref().and_then(|own| own.get("subprotocol")?.text());
            places.headers.extend(subprotocol.map(|_| "sec-websocket-protocol".to_owned()));
            places.parameters.extend(parameter(&module, own.as_ref()));
        }
        places
    }
}

impl Policy<'_> {
    /// The headers that this policy reads credentials from, and no others.
    pub fn credential_headers(&self) -> Vec<String> {
        let keys = self.root().get("api_keys");
        let keys = keys.iter().flat_map(Node::items);
        let mut found: Vec<String> = keys.map(|key| header(&key).unwrap_or_else(usual)).collect();
        for module in self.modules() {
            if !routes(&module).iter().any(|route| !asks(route, "token").is_empty()) {
                continue;
            }
            let own = module.get("credentials");
            let place = |key: &str| own.as_ref().and_then(|own| own.get(key));
            let is_off = |node: &Node<'_>| node.yaml().tree() == Tree::Flag(false);
            match place("header") {
                Some(node) if is_off(&node) => {}
                node => found.push(node.and_then(|node| lower(&node)).unwrap_or_else(usual)),
            }
            let has_cookie = !place("cookie").is_some_and(|node| is_off(&node));
            found.extend(has_cookie.then(|| "cookie".to_owned()));
            let has_protocol = place("subprotocol").is_some_and(|node| !is_off(&node));
            found.extend(has_protocol.then(|| "sec-websocket-protocol".to_owned()));
        }
        found.sort();
        found.dedup();
        found
    }
}

fn usual() -> String {
    "authorization".to_owned()
}

fn lower(node: &Node<'_>) -> Option<String> {
    node.text().map(str::to_ascii_lowercase)
}

fn header(section: &Node<'_>) -> Option<String> {
    lower(&section.get("header")?)
}

/// The parameter that carries tokens, where the module takes any and does not switch it off.
fn parameter(module: &Node<'_>, credentials: Option<&Node<'_>>) -> Option<String> {
    let takes_tokens = routes(module).iter().any(|route| !asks(route, "token").is_empty());
    let query = credentials.and_then(|credentials| credentials.get("query"));
    let off = query.as_ref().is_some_and(|query| query.yaml().tree() == Tree::Flag(false));
    let name = query.as_ref().and_then(Node::text).unwrap_or("token");
    (takes_tokens && !off).then(|| name.to_owned())
}
