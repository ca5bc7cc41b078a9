//! Envoy's `cors` filter beside Vigile: which pages of other sites may read what a visitor's session
//! opens, and whether their preflights are answered at all.

use regex::Regex;

use super::Finding;
use crate::config::{Config, Manager, Node};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.guarded().flat_map(|manager| too_late(manager).chain(of_routes(manager))).collect()
}

/// Without rules of a route the filter answers nothing, and meshes put it into every chain.
fn too_late(manager: &Manager<'_>) -> impl Iterator<Item = Finding> {
    let configs = &manager.route_configs;
    let has_rules = |config: &Node<'_>| {
        let ruled = config.all(|node| !policies(node).is_empty());
        !ruled.is_empty()
    };
    let may_answer = configs.is_empty() || configs.iter().any(has_rules);
    let behind = manager.filters.iter().skip_while(|filter| !filter.is_vigile());
    let late = behind.filter(move |filter| may_answer && filter.is("cors"));
    late.map(|filter| {
        Finding::warning(
            &filter.node,
            "a preflight carries no credential, and Vigile refuses it before this filter can answer: put it before Vigile",
        )
    })
}

fn of_routes(manager: &Manager<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    manager.route_configs.iter().for_each(|config| look(config, &Cors::default(), &mut found));
    found
}

/// Rules that hold at some place. Envoy takes each field from the innermost policy that has it: so the origins of
/// a virtual host and the credentials of its route meet (observed on 1.40).
#[derive(Clone, Default)]
struct Cors<'y> {
    origins: Vec<Node<'y>>,
    credentials: bool,
}

fn look<'y>(node: &Node<'y>, around: &Cors<'y>, found: &mut Vec<Finding>) {
    let own = policies(node);
    let here = own.iter().fold(around.clone(), Cors::within);
    if !own.is_empty() {
        found.extend(here.origins.iter().filter_map(|origin| judge(origin, here.credentials)));
    }
    node.entries().for_each(|(_, inner)| look(&inner, &here, found));
    node.items().for_each(|inner| look(&inner, &here, found));
}

/// The policies of a route configuration, a virtual host, a route or a weighted cluster: also under `cors`,
/// where Envoy had them before it had configs per filter.
fn policies<'y>(node: &Node<'y>) -> Vec<Node<'y>> {
    let per_filter = node.field("typed_per_filter_config");
    let typed = per_filter.iter().flat_map(Node::entries).filter_map(|(_, config)| policy(&config));
    let old = node.field("cors").filter(|old| old.field("allow_origin_string_match").is_some());
    typed.chain(old.filter(|old| old.get("@type").is_none())).collect()
}

fn policy<'y>(config: &Node<'y>) -> Option<Node<'y>> {
    let typed = config.typed()?;
    match typed.name {
        "envoy.extensions.filters.http.cors.v3.CorsPolicy" => Some(typed.fields),
        "envoy.config.route.v3.FilterConfig" => policy(&typed.fields.field("config")?),
        _ => None,
    }
}

impl<'y> Cors<'y> {
    fn within(self, policy: &Node<'y>) -> Self {
        let origins = policy.list("allow_origin_string_match");
        let credentials = policy.field("allow_credentials");
        Self {
            origins: if origins.is_empty() { self.origins } else { origins },
            credentials: credentials.map_or(self.credentials, |flag| flag.is_true()),
        }
    }
}

fn judge(matcher: &Node<'_>, credentials: bool) -> Option<Finding> {
    let who = match reach(matcher) {
        Reach::Listed => return None,
        Reach::Unreadable => {
            return Some(Finding::note(
                matcher,
                "this expression cannot be judged: does it take the origins of strangers?",
            ));
        }
        Reach::Anybody => "any site has an origin that this takes",
        Reach::Lookalike => {
            "a stranger can have a name that this takes: write whole origins, or the whole end of a name from its dot on"
        }
    };
    Some(match credentials {
        true => Finding::error(
            matcher,
            format!("{who}; with allow_credentials it reads what the visitor's session opens"),
        ),
        false => {
            Finding::warning(matcher, format!("{who}, and may read what is open to everybody here"))
        }
    })
}

/// Whose origins a matcher takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Listed,
    /// Names that begin or end like a listed one.
    Lookalike,
    Anybody,
    Unreadable,
}

/// Envoy takes a matcher of `*` for one of everything, whatever its kind. `null` is the origin of every
/// sandboxed frame. The others are names that nobody lists (RFC 2606 §2).
const STRANGERS: [&str; 6] = [
    "*",
    "null",
    "https://stranger.invalid",
    "https://stranger.invalid:8443",
    "http://stranger.invalid",
    "http://stranger.invalid:8080",
];

fn reach(matcher: &Node<'_>) -> Reach {
    let word = |name: &str| matcher.field(name).map(|node| node.text().unwrap_or_default());
    // A word that is left empty matches every origin, but for `exact`.
    let any = |takes: &dyn Fn(&str) -> bool, lookalike: bool| match lookalike {
        _ if STRANGERS.iter().any(|stranger| takes(stranger)) => Reach::Anybody,
        true => Reach::Lookalike,
        false => Reach::Listed,
    };
    if let Some(exact) = word("exact") {
        return any(&|origin| exact.eq_ignore_ascii_case(origin), false);
    }
    if let Some(prefix) = word("prefix") {
        return any(
            &|origin| origin.starts_with(&prefix.to_ascii_lowercase()),
            is_open_end(prefix),
        );
    }
    if let Some(suffix) = word("suffix") {
        let open = !suffix.starts_with('.') && !suffix.contains("://");
        return any(&|origin| origin.ends_with(&suffix.to_ascii_lowercase()), open);
    }
    if let Some(part) = word("contains") {
        return any(&|origin| origin.contains(&part.to_ascii_lowercase()), is_open_end(part));
    }
    match matcher.at(&["safe_regex", "regex"]).and_then(|regex| regex.text()) {
        None => Reach::Listed,
        // Envoy wants the whole origin to match.
        Some(regex) => match Regex::new(&format!("^(?:{regex})$")) {
            Ok(regex) => any(&|origin| regex.is_match(origin), false),
            Err(_) => Reach::Unreadable,
        },
    }
}

/// Tells whether more of a host may follow: `https://iahome.fr` begins `https://iahome.fr.stranger.invalid` too.
fn is_open_end(part: &str) -> bool {
    part.rsplit_once("://").is_none_or(|(_, host)| !host.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::{Reach, reach};
    use crate::config::Node;
    use crate::yaml::Yaml;

    fn of(matcher: &str) -> Reach {
        reach(&Node::root(&Yaml::parse(matcher).unwrap()))
    }

    #[test]
    fn whole_origins_and_whole_ends_are_listed() {
        for matcher in [
            "exact: https://iahome.fr",
            "exact: ''",
            "prefix: 'https://iahome.fr:'",
            "suffix: .iahome.fr",
            "suffix: ://iahome.fr",
            "safe_regex: { regex: 'https://[a-z]+\\.iahome\\.fr' }",
            "safeRegex: { regex: 'https://(a|b)\\.iahome\\.fr(:[0-9]+)?' }",
        ] {
            assert_eq!(of(matcher), Reach::Listed, "{matcher}");
        }
    }

    #[test]
    fn anybody_and_lookalikes_are_told() {
        for matcher in [
            "exact: '*'",
            "exact: 'null'",
            "exact: 'NULL'",
            "prefix: ''",
            "prefix: '*'",
            "prefix: HTTPS://",
            "suffix: ''",
            "contains: ''",
            "contains: ://",
            "suffix: ':8443'",
            "safe_regex: { regex: '.*' }",
            "safe_regex: { regex: '.' }",
            "safe_regex: { regex: 'null|https://iahome.fr' }",
            "safe_regex: { regex: 'https?://[^/]+' }",
            "safe_regex: { regex: '\\*' }",
        ] {
            assert_eq!(of(matcher), Reach::Anybody, "{matcher}");
        }
        for matcher in ["prefix: https://iahome.fr", "suffix: iahome.fr", "contains: iahome"] {
            assert_eq!(of(matcher), Reach::Lookalike, "{matcher}");
        }
        assert_eq!(of("safe_regex: { regex: '(' }"), Reach::Unreadable);
    }
}
