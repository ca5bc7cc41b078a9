//! Access logs that print credentials: tokens in the query, headers that carry them, cookies.
//!
//! Vigile takes the token out of `:path` before it answers or forwards. Replies that other filters make
//! before it (a limit, a malformed request) are logged with the path as it came: hence `%PATH(NQ)%`.

use super::Finding;
use crate::config::{Config, Node, is_field};
use crate::log_format::{Command, commands};
use crate::policy::{Places, Policy};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let credentials = Credentials::of(config);
    let is_log = |node: &Node<'_>| {
        is_field(node.key(), "access_log") || is_field(node.key(), "upstream_log")
    };
    let admin = config.root.field("admin");
    let of_admin = |node: &Node<'_>| admin.as_ref().is_some_and(|admin| node.is_within(admin));
    let logs = config.root.all(is_log).into_iter().filter(|node| !of_admin(node));
    let items: Vec<Node<'_>> = logs.flat_map(|log| log.items().collect::<Vec<_>>()).collect();
    items.iter().flat_map(|item| credentials.judge(item)).collect()
}

/// Where credentials travel, by all policies of the file.
struct Credentials(Places);

impl Credentials {
    fn of(config: &Config<'_>) -> Self {
        let mut all = Places::default();
        for Places { headers, parameters } in config.policies.iter().map(Policy::credential_places)
        {
            all.headers.extend(headers);
            all.parameters.extend(parameters);
        }
        Self(all)
    }

    /// What one logger prints.
    fn judge(&self, logger: &Node<'_>) -> Vec<Finding> {
        let Some(typed) = logger.typed_config() else { return Vec::new() };
        let sends_path = typed.name.ends_with(".HttpGrpcAccessLogConfig");
        let formats = ["log_format", "format", "json_format", "typed_json_format"];
        let has_format = formats.iter().any(|name| typed.fields.field(name).is_some());
        let writes_default = !has_format
            && ["FileAccessLog", "StdoutAccessLog", "StderrAccessLog"]
                .iter()
                .any(|name| typed.name.ends_with(&format!(".{name}")));
        let whole = match (self.0.parameters.is_empty(), sends_path, writes_default) {
            (false, true, _) => Some(Finding::error(logger, SENDS_QUERY)),
            (false, _, true) => Some(Finding::error(logger, DEFAULT_PRINTS_QUERY)),
            _ => None,
        };
        let words = typed.fields.all(|node| node.text().is_some());
        let printed = words.iter().filter_map(|node| {
            let problem = match is_name(node, &typed.fields) {
                true => self.named(node.text()?),
                false => commands(node.text()?).find_map(|command| self.printed(&command)),
            };
            problem.map(|problem| Finding::error(node, problem))
        });
        whole.into_iter().chain(printed).collect()
    }

    fn named(&self, header: &str) -> Option<String> {
        let name = header.to_ascii_lowercase();
        let carries = self.0.headers.contains(&name) || name == "set-cookie";
        carries.then(|| format!("{name} carries a credential, and the log keeps it"))
    }

    fn printed(&self, command: &Command<'_>) -> Option<String> {
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

/// Whether an expression has this member, which ends where its letters do.
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

/// Whether an expression hands over all headers, and not one of them or their number. As text Envoy
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
const DEFAULT_PRINTS_QUERY: &str = "Envoy's default format prints the query, and with it tokens of requests that are answered before Vigile: give a log_format with %PATH(NQ)%";
const SENDS_QUERY: &str = "this logger sends the whole path, and with it tokens of requests that are answered before Vigile: use a file or OpenTelemetry with %PATH(NQ)%";

/// Whether this is one of a list of header names, and no format.
fn is_name(node: &Node<'_>, fields: &Node<'_>) -> bool {
    let lists = ["additional_request_headers_to_log", "additional_response_headers_to_log"];
    let lists = lists.iter().filter_map(|name| fields.field(name));
    lists.into_iter().any(|list| node.is_within(&list))
}
