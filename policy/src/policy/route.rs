//! `routes`: which requests of a module ask for what.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use vigile_core::Names;
use vigile_core::path::{Pattern, Prefix};
use vigile_core::policy::{Concurrency, Entry, Forward, HeaderPlace, LONGEST_TEXT};
use vigile_core::policy::{RequiredHeader, Route, Routes, Rule, folded};

use super::{Context, access, body, forward};
use crate::document::{Node, Section, Tree, all, header_name, origins, quoted};

/// What a module says for all of its routes, as far as it could be read.
pub(super) struct Shared<'m> {
    pub(super) forward: &'m [Forward],
    pub(super) prefix: Option<&'m Prefix>,
    /// The header in which its tokens stand.
    pub(super) header: Option<&'m HeaderPlace>,
}

/// Reads all routes of a module: the routes by pattern, and their rules.
pub(super) fn read_all(
    node: &Node<'_>,
    context: &Context<'_>,
    shared: &Shared<'_>,
) -> Option<(Routes, Vec<Arc<Rule>>)> {
    let mut table = Table::default();
    let nodes = node.items("[{ path: /**, token: { issuer: … } }]")?;
    let read = all(nodes.iter().map(|node| table.read(node, context, shared)));
    read.map(|_| (table.routes, table.rules))
}

/// The routes read so far. Each question about those before is a look into a map, since policies may be long.
#[derive(Default)]
struct Table {
    routes: Routes,
    rules: Vec<Arc<Rule>>,
    /// The index of a route by its path.
    by_path: Names,
    /// The index of the first route by its path in small letters, and of those that differ from it in letter case alone.
    folded: Names,
    twins: Vec<(usize, usize)>,
    /// The index of the first rule by its hash, and of others with the same hash.
    hashed: Names,
    collided: Vec<(usize, usize)>,
}

impl Table {
    /// Reads one item. Its paths are placed even where its rule is wrong or hangs on a secret, so that
    /// what it shadows is found all the same.
    fn read(&mut self, node: &Node<'_>, context: &Context<'_>, shared: &Shared<'_>) -> Option<()> {
        let section = node.section("{ path: /**, token: { issuer: … } }")?;
        let patterns = patterns(&section, shared.prefix);
        let methods = section.optional("methods", |node| node.each("[GET, POST]", method));
        let rule = rule(&section, context, shared).map(|rule| self.intern(rule));
        let entry = Entry { methods: methods?, rule: rule.unwrap_or_default() };
        let placed = all(patterns?.into_iter().map(|path| self.place(path, entry.clone(), node)));
        rule?;
        placed.map(|_| ())
    }

    /// The index of a rule; equal ones are one.
    fn intern(&mut self, rule: Rule) -> usize {
        let mut hasher = DefaultHasher::new();
        rule.hash(&mut hasher);
        let at = self.rules.len();
        let first = self.hashed.add(format!("{:x}", hasher.finish()), at);
        let others =
            self.collided.iter().filter(|(of, _)| Some(*of) == first).map(|(_, other)| *other);
        let is_it = |at: &usize| self.rules.get(*at).is_some_and(|known| **known == rule);
        if let Some(known) = first.into_iter().chain(others).find(is_it) {
            return known;
        }
        self.collided.extend(first.map(|first| (first, at)));
        self.rules.push(Arc::new(rule));
        at
    }

    /// Adds an entry, unless earlier ones leave it nothing.
    fn place(&mut self, pattern: Pattern, entry: Entry, node: &Node<'_>) -> Option<()> {
        let shown = pattern.as_str().to_owned();
        let known = self.by_path.get(&shown).and_then(|at| self.routes.get_mut(at));
        if let Some(route) = known {
            let left = match &entry.methods {
                Some(methods) => methods.iter().any(|method| route.rule(method).is_none()),
                None => route.entries.iter().all(|earlier| earlier.methods.is_some()),
            };
            route.entries.push(entry);
            return match left {
                true => Some(()),
                false => node.wrong(format!(
                    "{shown} would never be reached: an earlier route of this path takes all its methods"
                )),
            };
        }
        let path = |route: &Route| route.pattern.as_str().to_owned();
        let earlier = self.routes.covering(&pattern).map(path);
        let rule = entry.rule;
        let at = self.routes.add(Route { pattern, entries: vec![entry] });
        self.by_path.add(shown.clone(), at);
        let first = self.folded.add(shown.to_ascii_lowercase(), at);
        let others = self.twins.iter().filter(|(of, _)| Some(*of) == first).map(|(_, twin)| *twin);
        let twins = first.into_iter().chain(others).filter_map(|at| self.routes.get(at));
        let twin = twins.filter(|twin| asks_for_other(twin, rule)).map(path).next();
        self.twins.extend(first.map(|first| (first, at)));
        match (earlier, twin) {
            (Some(earlier), _) => node.wrong(format!(
                "{shown} would never be reached: {earlier} stands before it and takes its paths"
            )),
            (None, Some(twin)) => node.wrong(format!(
                "{shown} differs from {twin} in letter case alone and asks for something else: whatever comes to either would be refused as ambiguous"
            )),
            (None, None) => Some(()),
        }
    }
}

fn asks_for_other(route: &Route, rule: usize) -> bool {
    route.entries.iter().any(|other| other.rule != rule)
}

fn patterns(section: &Section<'_>, prefix: Option<&Prefix>) -> Option<Vec<Pattern>> {
    let read = |node: &Node<'_>| pattern(node, prefix);
    match (section.take("path"), section.take("paths")) {
        (Some(one), None) => read(&one).map(|one| vec![one]),
        (None, Some(several)) => several.each("[/api/**, /ws]", read),
        (None, None) => section.lacks(&["path", "paths"], "path or paths is required"),
        (Some(_), Some(_)) => section.node().wrong("path and paths say the same thing: keep one"),
    }
}

fn pattern(node: &Node<'_>, prefix: Option<&Prefix>) -> Option<Pattern> {
    let pattern =
        Pattern::parse(node.string()?).map_or_else(|problem| node.wrong(problem), Some)?;
    match prefix.filter(|prefix| !pattern.reaches(prefix)) {
        None => Some(pattern),
        Some(prefix) => node.wrong(format!(
            "{} would never be reached: this module's path_prefix is {}",
            pattern.as_str(),
            prefix.as_str()
        )),
    }
}

fn method(node: &Node<'_>) -> Option<String> {
    let token = |method: &str| method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    match node.string()? {
        "CONNECT" => node.wrong("CONNECT asks for a tunnel, and Vigile guards none"),
        method if !method.is_empty() && token(method) => Some(method.to_owned()),
        method => node.wrong(format!(
            "{} is no method: it is written in capitals, as GET and POST are (RFC 9110 §9.1)",
            quoted(method)
        )),
    }
}

fn rule(section: &Section<'_>, context: &Context<'_>, shared: &Shared<'_>) -> Option<Rule> {
    let access = access::read(section, context);
    let origins = section.or("origins", Vec::new(), origins);
    let require_headers = section
        .or("require_headers", Vec::new(), |node| required_headers(node, context, shared.header));
    let body = section.optional("body", |node| match context.host.holds_bodies {
        true => body::read(node),
        false => {
            node.wrong("this host cannot hold a body until it was looked at: the app checks it")
        }
    });
    let concurrency = section.optional("concurrency", |node| concurrency(node, section, context));
    let close_at_exp = section.optional("close_at_exp", |node| match context.host.ends_streams {
        true => node.only_true(),
        false => node.wrong(
            "this host cannot end a stream at a time: keep tokens short, or have the app end it",
        ),
    });
    let forward = section.or("forward", Vec::new(), forward::read);
    let own_answer = section.has("status") || section.has("logout");
    let anybody = access::lets_anybody_in(section.node().tree()) || own_answer;
    let by_cookie = access::takes_a_token(section.node().tree()) || section.has("logout");
    let sound = [
        only_where(section, "origins", by_cookie, ORIGINS_ALONE),
        only_where(section, "require_headers", !anybody, HEADERS_ALONE),
        only_where(section, "concurrency", !anybody && known(section), NOBODY_KNOWN),
        only_where(section, "close_at_exp", !own_answer && proves(section), NOTHING_ENDS),
        only_where(section, "body", !own_answer, NO_APP),
        only_where(section, "forward", !own_answer, FORWARD_NOWHERE),
        own_forward(section),
    ];
    let own = forward?;
    // As an app may read them: `x-user-id` and `x_user_id` are one to WSGI and CGI.
    let is_other =
        |shared: &&Forward| own.iter().all(|own| folded(&own.header) != folded(&shared.header));
    let inherited = shared.forward.iter().filter(is_other);
    let forward = inherited.chain(&own).cloned().collect();
    let rule = Rule {
        access: access?,
        origins: origins?,
        require_headers: require_headers?,
        body: body?.map(Arc::new),
        concurrency: concurrency?,
        close_at_exp: close_at_exp?.is_some(),
        forward,
    };
    all(sound.into_iter()).map(|_| rule)
}

const ORIGINS_ALONE: &str =
    "this says which sites may call with the cookie: it stands beside a token";
const HEADERS_ALONE: &str =
    "this asks a known caller for a reason, and the route asks nobody for anything";
const FORWARD_NOWHERE: &str = "Vigile answers this route itself: there is nobody to forward to";
const NO_APP: &str = "Vigile answers this route itself: no body is read";
const NOTHING_ENDS: &str = "this ends a stream with the token or the API key that let it in, and the route asks for neither";
const NOBODY_KNOWN: &str = "this counts the requests of one caller, and the route lets in callers of whom nothing is known";

/// Whether some caller whom the route lets in brings a token or an API key.
fn proves(section: &Section<'_>) -> bool {
    let brings = |tree: &Tree| tree.get("token").is_some() || tree.get("api_key").is_some();
    let any = |tree: Option<&Tree>| match tree {
        Some(Tree::List(items)) => items.iter().any(brings),
        _ => false,
    };
    brings(section.node().tree()) || any(section.peek("any_of"))
}

/// Whether every caller whom the route lets in is somebody: a token's subject, or an API key. Whoever may
/// come without a token is nobody.
fn known(section: &Section<'_>) -> bool {
    let brings = |tree: &Tree| tree.get("token").is_some_and(|one| one.get("optional").is_none());
    let names = |tree: &Tree| brings(tree) || tree.get("api_key").is_some();
    let each = |tree: Option<&Tree>| match tree {
        Some(Tree::List(items)) => items.iter().all(names),
        _ => false,
    };
    names(section.node().tree()) || each(section.peek("any_of"))
}

fn concurrency(
    node: &Node<'_>,
    section: &Section<'_>,
    context: &Context<'_>,
) -> Option<Concurrency> {
    if !context.host.counts_requests {
        return node.wrong("this host cannot count the requests that a caller has under way");
    }
    let limit = node.whole_number(1, u16::MAX.into())?;
    let texts = |key| {
        let mut all = Vec::new();
        match section.peek(key) {
            Some(Tree::List(items)) => all.extend(items.iter().filter_map(Tree::as_text)),
            one => all.extend(one.and_then(Tree::as_text)),
        }
        all
    };
    let path = texts("path").into_iter().chain(texts("paths")).next().unwrap_or_default();
    let route = [&[path][..], &texts("methods")].concat().join(" ");
    Some(Concurrency { limit: u16::try_from(limit).ok()?, route })
}

/// A key that makes sense only where `holds`.
fn only_where(section: &Section<'_>, key: &'static str, holds: bool, problem: &str) -> Option<()> {
    match section.take(key) {
        Some(node) if !holds => node.wrong(problem),
        _ => Some(()),
    }
}

fn own_forward(section: &Section<'_>) -> Option<()> {
    let has = |key| forward::has(section.peek("forward"), key);
    match section.take("forward") {
        Some(node) if access::lets_anybody_in(section.node().tree()) && has("env") => {
            node.wrong("a secret is not forwarded for everybody: this route lets anybody in")
        }
        Some(node) if !access::takes_a_token(section.node().tree()) && has("claim") => {
            node.wrong("there is no token here to take a claim from")
        }
        Some(node) if !access::takes_a_key(section.node().tree()) && has("api_key") => {
            node.wrong("there is no API key here to take a name or roles from")
        }
        _ => Some(()),
    }
}

fn required_headers(
    node: &Node<'_>,
    context: &Context<'_>,
    tokens: Option<&HeaderPlace>,
) -> Option<Vec<RequiredHeader>> {
    node.each_entry("{ x-justification: { min_length: 10 } }", |given, node| {
        let name = header_name(node, given);
        let section = node.section("{ min_length: 10 }")?;
        let min_length = section.or("min_length", 1, |node| node.whole_number(1, LONGEST_TEXT));
        let name = name?;
        match carries_credentials(&name, context, tokens) {
            true => node.wrong(format!(
                "{name} carries a credential, and what is required here is written to the audit line"
            )),
            false => Some(RequiredHeader { name, min_length: min_length? }),
        }
    })
}

/// Whether any part of the policy, or any app, reads a credential from this header, or a browser writes one
/// into it: a page names its token as a subprotocol, and its address may hold one.
fn carries_credentials(name: &str, context: &Context<'_>, tokens: Option<&HeaderPlace>) -> bool {
    let keys = context.api_keys.iter().flatten().filter_map(|(_, key)| key.as_ref());
    ["authorization", "cookie", "sec-websocket-protocol", "referer"].contains(&name)
        || keys.map(|key| &key.place).chain(tokens).any(|place| place.name == name)
}
