//! `modules`: the services behind the gate.

use std::sync::Arc;

use super::access::{Access, Need, TokenNeed};
use super::credentials::{self, CookieName, Credentials};
use super::embed::{self, Embed};
use super::forward::{self, folded};
use super::headers::{self, Headers};
use super::host::{self, Hosts};
use super::route::{self, Route, Rule, Shared};
use super::security_headers::{self, Preset};
use super::{Context, Mode, access, mode};
use crate::document::{Node, Section, Tree, name, origin, quoted, text};
use crate::origin::Origin;
use crate::path::{Pattern, Prefix};
use crate::reply;

/// A service, its routes, and what all of them share.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its place in the policy.
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) hosts: Hosts,
    pub(crate) prefix: Prefix,
    pub(crate) mode: Mode,
    pub(crate) platform: Option<Origin>,
    /// The claim that must name the module; `None`: tokens are not bound to it.
    pub(crate) module_claim: Option<String>,
    pub(crate) credentials: Credentials,
    pub(crate) keep_credentials: bool,
    pub(crate) embed: Option<Embed>,
    pub(crate) headers: Headers,
    /// The headers of Vigile's own answers.
    pub(crate) answers: Vec<(String, String)>,
    /// `csp` and `frame-ancestors` as one policy.
    pub(crate) own_policy: Option<String>,
    pub(crate) shared_cache: bool,
    pub(crate) routes: Vec<Route>,
    pub(crate) rules: Vec<Arc<Rule>>,
    /// What the refresh path asks for: a token of any issuer that the routes trust.
    pub(crate) refresh_rule: Arc<Rule>,
    /// The names of all cookies that carry credentials here.
    pub(crate) cookies: Vec<String>,
    /// The names that any route forwards, folded: removed from every request first.
    pub(crate) forwarded: Vec<String>,
}

/// What modules must not have in common, as far as it could be read.
pub(super) struct Outline {
    name: Option<String>,
    hosts: Option<Hosts>,
    prefix: Option<Prefix>,
    cookie: Option<CookieName>,
}

/// Reads one module, `index`-th of its policy. The outline is there also where the module is wrong.
pub(super) fn read(
    node: &Node<'_>,
    context: &Context<'_>,
    index: usize,
) -> Option<(Outline, Option<Module>)> {
    let section = node.section("{ name: …, hosts: […], routes: […] }")?;
    let name = section.required("name", name);
    let hosts = section.or("hosts", Hosts::Any, host::read);
    let prefix = section.or("path_prefix", Prefix::root(), prefix);
    let mode = section.or("mode", context.mode, mode);
    let platform = section.optional("platform", origin);
    let module_claim = section.or("module_claim", Some("moduleName".to_owned()), module_claim);
    let credentials = section.or("credentials", Credentials::default(), credentials::read);
    let keep_credentials = section.or("keep_credentials", false, Node::flag);
    let embed = section.optional("embed", embed::read);
    let preset = section.optional("security_headers", security_headers::read);
    let headers = section.or("headers", Headers::default(), headers::read);
    let csp = csp(&section, preset);
    let shared_cache = section.or("shared_cache", false, Node::flag);
    let forward = section.or("forward", Vec::new(), forward::read);
    let shared = Shared {
        forward: forward.as_deref().unwrap_or_default(),
        prefix: prefix.as_ref(),
        header: credentials.as_ref().and_then(|places| places.header.as_ref()),
    };
    let routes = section.required("routes", |node| route::read_all(node, context, &shared));
    let sound = agrees(&section, shared.prefix, embed.as_ref(), credentials.as_ref());
    let suited = preset
        .zip(embed.as_ref())
        .and_then(|(preset, embed)| security_headers::suits(&section, preset, embed.as_ref()));
    let outline = Outline {
        name: name.clone(),
        hosts: hosts.clone(),
        prefix: prefix.clone(),
        cookie: credentials.clone().and_then(|credentials| credentials.cookie),
    };
    let module = || {
        let (embed, (routes, rules), credentials) = (embed?, routes?, credentials?);
        forward?;
        sound?;
        suited?;
        let headers = security_headers::beneath(preset?, headers?);
        Some(Module {
            index,
            name: name?,
            hosts: hosts?,
            prefix: prefix?,
            mode: mode?,
            platform: platform?,
            module_claim: module_claim?,
            keep_credentials: keep_credentials?,
            own_policy: headers::own_policy(csp?.as_deref(), embed.as_ref()),
            refresh_rule: Arc::new(refresh_rule(&rules)),
            cookies: cookies(&credentials, &rules),
            forwarded: forwarded(&rules),
            answers: reply::always(&headers, embed.as_ref()),
            headers,
            shared_cache: shared_cache?,
            credentials,
            embed,
            routes,
            rules,
        })
    };
    Some((outline, module()))
}

/// The module's own policy, or else the preset's.
fn csp(section: &Section<'_>, preset: Option<Option<Preset>>) -> Option<Option<String>> {
    let brought = preset.flatten().and_then(Preset::csp).map(str::to_owned);
    section.or("csp", brought, |node| headers::csp(node, preset))
}

fn prefix(node: &Node<'_>) -> Option<Prefix> {
    Prefix::parse(node.string()?).map_or_else(|problem| node.wrong(problem), Some)
}

fn module_claim(node: &Node<'_>) -> Option<Option<String>> {
    match text(node)?.as_str() {
        "none" => Some(None),
        claim => Some(Some(claim.to_owned())),
    }
}

/// What one key alone cannot tell.
fn agrees(
    section: &Section<'_>,
    prefix: Option<&Prefix>,
    embed: Option<&Option<Embed>>,
    credentials: Option<&Credentials>,
) -> Option<()> {
    let node = section.node();
    let routes = match section.peek("routes") {
        Some(Tree::List(routes)) => routes.as_slice(),
        _ => &[],
    };
    let public = routes.iter().any(access::lets_anybody_in);
    if public && forward::has(section.peek("forward"), "env") {
        return node.wrong("forward holds a secret, and a route lets anybody in: put the secret on the routes that need it");
    }
    let Some(Some(embed)) = embed else { return Some(()) };
    if credentials.is_some_and(|places| places.cookie.is_none()) {
        return node
            .wrong("embed needs the cookie: without it every asset of the framed page is refused");
    }
    match &embed.refresh {
        Some(refresh) => refreshes(node, refresh, routes, prefix),
        None => Some(()),
    }
}

/// Whether the refresh path is one that can be reached, and takes no route's place.
fn refreshes(
    node: &Node<'_>,
    refresh: &Pattern,
    routes: &[Tree],
    prefix: Option<&Prefix>,
) -> Option<()> {
    let shown = refresh.as_str();
    let is_it = |path: &Tree| {
        path.as_text()
            .and_then(|path| Pattern::parse(path).ok())
            .is_some_and(|path| path == *refresh)
    };
    let paths = |route: &Tree| match (route.get("path"), route.get("paths")) {
        (Some(path), _) => is_it(path),
        (None, Some(Tree::List(paths))) => paths.iter().any(is_it),
        _ => false,
    };
    if routes.iter().any(paths) {
        return node.wrong(format!(
            "embed.refresh is {shown}, and so is a route: it would never be reached"
        ));
    }
    if let Some(prefix) = prefix.filter(|prefix| !refresh.reaches(prefix)) {
        return node.wrong(format!(
            "embed.refresh is {shown}, which this module's path_prefix {} does not reach",
            prefix.as_str()
        ));
    }
    match routes.iter().any(access::takes_a_token) {
        true => Some(()),
        false => node.wrong("embed.refresh renews a token's cookie, and no route takes a token"),
    }
}

fn tokens(rules: &[Arc<Rule>]) -> impl Iterator<Item = &TokenNeed> {
    rules.iter().flat_map(|rule| rule.access.needs()).filter_map(|need| need.token.as_ref())
}

/// Roles and other claims are each route's to ask for: a session may be refreshed without them.
fn refresh_rule(rules: &[Arc<Rule>]) -> Rule {
    let mut needs: Vec<Need> = Vec::new();
    for token in tokens(rules).filter(|token| token.cookie.is_none()) {
        let token = TokenNeed {
            issuer: token.issuer.clone(),
            claims: Vec::new(),
            roles: Vec::new(),
            cookie: None,
            optional: false,
        };
        let need = Need { token: Some(token), ..Need::default() };
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    Rule {
        access: Access::Guarded(needs),
        origins: Vec::new(),
        require_headers: Vec::new(),
        body: None,
        concurrency: None,
        forward: Vec::new(),
    }
}

impl Module {
    /// The cookies that carry credentials here, each once.
    pub(crate) fn cookie_names(&self) -> Vec<&CookieName> {
        let mut names: Vec<&CookieName> = Vec::new();
        for name in named_cookies(&self.credentials, &self.rules) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

fn named_cookies<'m>(
    credentials: &'m Credentials,
    rules: &'m [Arc<Rule>],
) -> impl Iterator<Item = &'m CookieName> {
    let overrides = tokens(rules).filter_map(|token| token.cookie.as_ref());
    credentials.cookie.iter().chain(overrides)
}

fn cookies(credentials: &Credentials, rules: &[Arc<Rule>]) -> Vec<String> {
    let all = named_cookies(credentials, rules);
    all.flat_map(|cookie| [cookie.plain.clone(), cookie.partitioned.clone()]).collect()
}

fn forwarded(rules: &[Arc<Rule>]) -> Vec<String> {
    let mut names: Vec<String> = rules
        .iter()
        .flat_map(|rule| &rule.forward)
        .map(|forward| folded(&forward.header))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Checks every module against those before it.
pub(super) fn distinct(nodes: &[Node<'_>], outlines: &[Option<Outline>]) -> Option<()> {
    let mut sound = Some(());
    for (at, (node, outline)) in nodes.iter().zip(outlines).enumerate() {
        let Some(outline) = outline else { continue };
        for earlier in outlines.iter().take(at).flatten() {
            if let Some(problem) = clash(earlier, outline) {
                sound = node.wrong(problem);
            }
        }
        let last = at.saturating_add(1) == nodes.len();
        if outline.hosts == Some(Hosts::Any) && !last {
            sound = node.wrong("a module without hosts takes every host: it must be the last one");
        }
    }
    sound
}

fn clash(one: &Outline, other: &Outline) -> Option<String> {
    let earlier = one.name.as_deref().map_or("another module".to_owned(), quoted);
    if one.name.is_some() && one.name == other.name {
        return Some(format!("two modules are named {earlier}"));
    }
    if !one.hosts.as_ref().zip(other.hosts.as_ref()).is_some_and(|(one, other)| one.shared(other)) {
        return None;
    }
    if one.prefix.is_some() && one.prefix == other.prefix {
        return Some(format!("{earlier} has a host and the path_prefix of this module already"));
    }
    let cookies = one.cookie.as_ref().zip(other.cookie.as_ref());
    cookies.is_some_and(|(one, other)| one.meets(other)).then(|| {
        format!(
            "{earlier} has the same host and the same cookie: give each its own credentials.cookie"
        )
    })
}
