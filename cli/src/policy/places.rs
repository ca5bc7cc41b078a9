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

fn header(section: &Node<'_>) -> Option<String> {
    section.get("header")?.text().map(str::to_ascii_lowercase)
}

/// The parameter that carries tokens, where the module takes any and does not switch it off.
fn parameter(module: &Node<'_>, credentials: Option<&Node<'_>>) -> Option<String> {
    let takes_tokens = routes(module).iter().any(|route| !asks(route, "token").is_empty());
    let query = credentials.and_then(|credentials| credentials.get("query"));
    let off = query.as_ref().is_some_and(|query| query.yaml().tree() == Tree::Flag(false));
    let name = query.as_ref().and_then(Node::text).unwrap_or("token");
    (takes_tokens && !off).then(|| name.to_owned())
}
