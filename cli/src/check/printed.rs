//! Credentials in what is printed of a request: formats of logs and traces, lists of header names.

use crate::config::Config;
use crate::log_format::Command;
use crate::policy::{Places, Policy};

/// Places where credentials travel, by all policies of the file.
pub(super) struct Credentials(Places);

impl Credentials {
    pub(super) fn of(config: &Config<'_>) -> Self {
        let mut all = Places::default();
        for Places { headers, parameters } in config.policies.iter().map(Policy::credential_places)
        {
            all.headers.extend(headers);
            all.parameters.extend(parameters);
        }
        for list in [&mut all.headers, &mut all.parameters] {
            list.sort();
            list.dedup();
        }
        Self(all)
    }

    /// Tells whether a token may stand in a query.
    pub(super) fn are_in_queries(&self) -> bool {
        !self.0.parameters.is_empty()
    }

    /// Says why a header should not be printed.
    pub(super) fn named(&self, header: &str) -> Option<String> {
        let name = header.to_ascii_lowercase();
        let carries = self.0.headers.contains(&name) || name == "set-cookie";
        carries.then(|| format!("{name} carries a credential, and this keeps it"))
    }

    /// Says why a command of a format should not be printed.
    pub(super) fn printed(&self, command: &Command<'_>) -> Option<String> {
        let query = (!self.0.parameters.is_empty()).then(|| PRINTS_QUERY.to_owned());
        let names = command.arguments.split('?').map(str::to_ascii_lowercase);
        match command.name {
            "REQ" | "REQUEST_HEADER" => names.into_iter().find_map(|name| match name.as_str() {
                ":path" | "x-envoy-original-path" => query.clone(),
                name => self.named(name),
            }),
            "RESP" | "RESPONSE_HEADER" => names.into_iter().find_map(|name| self.named(&name)),
            "PATH" => query.filter(|_| !command.arguments.starts_with("NQ")),
            "QUERY_PARAMS" => query,
            "QUERY_PARAM" if self.0.parameters.iter().any(|name| name == command.arguments) => {
                query
            }
            "TYPED_CEL" if is_of_all_headers(command.arguments) => Some(PRINTS_HEADERS.to_owned()),
            "CEL" | "TYPED_CEL" => self.computed(command.arguments, query),
            _ => None,
        }
    }

    /// An expression (CEL) over the request.
    fn computed(&self, expression: &str, query: Option<String>) -> Option<String> {
        let expression = in_dots(expression);
        let holds = |name: &str| {
            let quoted = ["'", "\""].iter().any(|quote| {
                let name = format!("{quote}{name}{quote}");
                expression.contains(&name)
            });
            quoted || selects(&expression, &format!(".{name}"))
        };
        let names = self.0.headers.iter().map(String::as_str).chain(["set-cookie"]);
        let named = names.filter(|name| holds(name)).find_map(|name| self.named(name));
        let path = [":path", "x-envoy-original-path"].iter().any(|name| holds(name));
        let path =
            path || ["request.path", "request.query"].iter().any(|path| selects(&expression, path));
        named.or_else(|| query.filter(|_| path))
    }
}

/// Tells whether an expression has this member, which ends where its letters do.
fn selects(expression: &str, member: &str) -> bool {
    expression.match_indices(member).any(|(at, _)| {
        let behind = expression.get(at.saturating_add(member.len())..).unwrap_or_default();
        !behind.starts_with(|c: char| c.is_ascii_alphanumeric() || "_-".contains(c))
    })
}

/// An expression in one spelling: `request['headers']["cookie"]` is `request.headers.cookie`.
fn in_dots(expression: &str) -> String {
    let bare: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
    let mut dotted = bare.to_ascii_lowercase();
    for quote in ["'", "\""] {
        dotted = dotted.replace(&format!("[{quote}"), ".").replace(&format!("{quote}]"), "");
    }
    dotted
}

/// Tells whether an expression hands over all headers, and not one of them or their number. As text Envoy
/// writes `CelMap value` of them (observed on 1.40).
fn is_of_all_headers(expression: &str) -> bool {
    let expression = in_dots(expression);
    ["request.headers", "response.headers"].iter().any(|all| {
        expression.match_indices(all).any(|(at, _)| {
            let before = expression.get(..at).unwrap_or_default();
            let behind = expression.get(at.saturating_add(all.len())..).unwrap_or_default();
            let is_asked = ["in", "size("].iter().any(|asking| before.ends_with(asking));
            !is_asked && !behind.starts_with(['.', '['])
        })
    })
}

const PRINTS_HEADERS: &str =
    "this prints every header, and with them credentials: name the headers that the log is to have";
const PRINTS_QUERY: &str = "this prints the query, and with it tokens of requests that are answered before Vigile: write %PATH(NQ)%";
