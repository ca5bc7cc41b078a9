//! `modules`: the services behind the gate.

use vigile_core::Names;
use vigile_core::path::{Pattern, Prefix};
use vigile_core::policy::{CookieName, Credentials, Embed, Headers, Hosts};
use vigile_core::policy::{Module, ModuleParts, OVERRIDES, override_named};

use super::route::Shared;
use super::security_headers::{self, Preset};
use super::{Context, access, credentials, embed, forward, headers, host, mode, route};
use crate::document::{Node, Section, Tree, did_you_mean, name, origin, quoted, text};

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
    let credentials =
        section.or("credentials", Credentials::default(), |node| credentials::read(node, context));
    let keep_credentials = section.or("keep_credentials", false, Node::flag);
    let keep_overrides = section.or("keep_overrides", Vec::new(), overrides);
    let embed = section.optional("embed", embed::read);
    let preset = section.optional("security_headers", security_headers::read);
    let headers = section.or("headers", Headers::default(), headers::read);
    let csp = csp(&section, preset);
    let shared_cache = section.or("shared_cache", false, Node::flag);
    let cached = headers.as_ref().and_then(|headers| headers::cached(&section, headers));
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
        let (routes, rules) = routes?;
        forward?;
        sound?;
        suited?;
        cached?;
        let headers = security_headers::beneath(preset?, headers?);
        Some(Module::from(ModuleParts {
            index,
            name: name?,
            hosts: hosts?,
            prefix: prefix?,
            mode: mode?,
            platform: platform?,
            module_claim: module_claim?,
            credentials: credentials?,
            keep_credentials: keep_credentials?,
            keep_overrides: keep_overrides?,
            embed: embed?,
            headers,
            csp: csp?,
            shared_cache: shared_cache?,
            routes,
            rules,
        }))
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

fn overrides(node: &Node<'_>) -> Option<Vec<&'static str>> {
    node.each("[x-forwarded-prefix]", |node| {
        let given = node.string()?;
        override_named(given).or_else(|| {
            node.wrong(format!(
                "{} is no header that Vigile takes away for its method or path{}",
                quoted(given),
                did_you_mean(given, &OVERRIDES)
            ))
        })
    })
}

/// `none` is a word of the policy: a variable that says so would switch the check off unseen.
fn module_claim(node: &Node<'_>) -> Option<Option<String>> {
    match (node.tree().as_text(), text(node)?.as_str()) {
        (Some("none"), _) => Some(None),
        (None, "none") => node.wrong("none is written out, not read from a variable"),
        (_, "aud" | "exp" | "nbf" | "iat") => node.wrong(
            "no token names its module there: the issuer's own section judges this claim (audiences, for aud)",
        ),
        (_, claim) => Some(Some(claim.to_owned())),
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

/// Checks every module against those before it.
pub(super) fn distinct(nodes: &[Node<'_>], outlines: &[Option<Outline>]) -> Option<()> {
    let mut sound = Some(());
    let mut seen = Seen::default();
    for (at, (node, outline)) in nodes.iter().zip(outlines).enumerate() {
        let Some(outline) = outline else { continue };
        let name = |earlier: usize| {
            let outline = outlines.get(earlier).and_then(Option::as_ref);
            let name = outline.and_then(|outline| outline.name.as_deref());
            name.map_or("another module".to_owned(), quoted)
        };
        for (clash, earlier) in seen.add(at, outline) {
            sound = node.wrong(clash.told(&name(earlier)));
        }
        let last = at.saturating_add(1) == nodes.len();
        if outline.hosts == Some(Hosts::Any) && !last {
            sound = node.wrong("a module without hosts takes every host: it must be the last one");
        }
    }
    sound
}

/// The modules that had a name, a prefix or a cookie first, each under a host: by maps, since policies may be long.
#[derive(Default)]
struct Seen {
    names: Names,
    /// In small letters: a backend may not tell more apart.
    prefixes: Names,
    /// Under both names that a browser may know.
    cookies: Names,
}

/// What two modules may not have in common.
enum Clash {
    Name,
    /// Letter case aside.
    Prefix,
    Cookie,
}

impl Seen {
    /// Adds a module; what it shares with an earlier one, each kind once, and no two with the same one.
    fn add(&mut self, at: usize, outline: &Outline) -> Vec<(Clash, usize)> {
        let mut clashes: Vec<(Clash, usize)> = Vec::new();
        let mut found = |clash, earlier: Option<usize>| {
            if let Some(earlier) = earlier.filter(|earlier| *earlier != at)
                && clashes.iter().all(|(_, known)| *known != earlier)
            {
                clashes.push((clash, earlier));
            }
        };
        if let Some(name) = &outline.name {
            found(Clash::Name, self.names.add(name.clone(), at));
        }
        for host in outline.hosts.iter().flat_map(Hosts::patterns) {
            let under = |what: &str| format!("{host:?} {what}");
            if let Some(prefix) = &outline.prefix {
                let folded = prefix.as_str().to_ascii_lowercase();
                found(Clash::Prefix, self.prefixes.add(under(&folded), at));
            }
            for cookie in outline.cookie.iter().flat_map(CookieName::names) {
                found(Clash::Cookie, self.cookies.add(under(cookie), at));
            }
        }
        clashes
    }
}

impl Clash {
    fn told(&self, earlier: &str) -> String {
        match self {
            Self::Name => format!("two modules are named {earlier}"),
            Self::Prefix => {
                format!(
                    "{earlier} has a host and the path_prefix of this module already, letter case aside"
                )
            }
            Self::Cookie => format!(
                "{earlier} has the same host and the same cookie: give each its own credentials.cookie"
            ),
        }
    }
}
