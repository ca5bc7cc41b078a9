//! `modules`: the services behind the gate.

use std::sync::Arc;

use super::forward::folded;
use super::{Access, CookieName, Credentials, Embed, Headers, Hosts, Mode, Need, Route, Rule};
use super::{TokenNeed, headers};
use crate::origin::Origin;
use crate::path::Prefix;
use crate::reply::{self, Security};

/// What the policy says of a module.
#[derive(Debug)]
pub struct ModuleParts {
    /// Its place in the policy.
    pub index: usize,
    /// What logs and metrics call it, and what its tokens name.
    pub name: String,
    /// The hosts of which requests are its own.
    pub hosts: Hosts,
    /// The beginning of their paths.
    pub prefix: Prefix,
    /// Whether its refusals are carried out.
    pub mode: Mode,
    /// Where its visitors come from.
    pub platform: Option<Origin>,
    /// The claim that must name the module; `None`: tokens are not bound to it.
    pub module_claim: Option<String>,
    /// Where its tokens stand.
    pub credentials: Credentials,
    /// The app sees them too.
    pub keep_credentials: bool,
    /// Whether it lives in a frame.
    pub embed: Option<Embed>,
    /// The headers of every answer.
    pub headers: Headers,
    /// Its Content-Security-Policy, without what `embed` writes.
    pub csp: Option<String>,
    /// Shared caches may keep what a credential admitted.
    pub shared_cache: bool,
    /// The routes by pattern, in the order of the policy.
    pub routes: Vec<Route>,
    /// Their rules, to which the entries' indices lead.
    pub rules: Vec<Arc<Rule>>,
}

/// A service, its routes, and what all of them share.
#[derive(Debug)]
pub struct Module {
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
    /// What its status says of it.
    pub(crate) security: Security,
    /// `csp` and `frame-ancestors` as one policy.
    pub(crate) own_policy: Option<String>,
    pub(crate) shared_cache: bool,
    pub(crate) routes: Vec<Route>,
    pub(crate) rules: Vec<Arc<Rule>>,
    /// What the refresh path asks for: a token of any issuer that the routes trust.
    pub(crate) refresh_rule: Arc<Rule>,
    /// The names of all cookies that carry credentials here.
    pub(crate) cookies: Vec<String>,
    /// Those of other modules on its hosts: a browser sends them here as well, and they open nothing here.
    pub(crate) neighbours_cookies: Vec<String>,
    /// The names that any route forwards, folded: removed from every request first.
    pub(crate) forwarded: Vec<String>,
}

impl From<ModuleParts> for Module {
    fn from(mut parts: ModuleParts) -> Self {
        // Where no route takes a token the parameter is the app's.
        parts.credentials.query =
            parts.credentials.query.filter(|_| tokens(&parts.rules).next().is_some());
        Self {
            index: parts.index,
            name: parts.name,
            hosts: parts.hosts,
            prefix: parts.prefix,
            mode: parts.mode,
            platform: parts.platform,
            module_claim: parts.module_claim,
            keep_credentials: parts.keep_credentials,
            own_policy: headers::own_policy(parts.csp.as_deref(), parts.embed.as_ref()),
            refresh_rule: Arc::new(refresh_rule(&parts.rules)),
            cookies: cookies(&parts.credentials, &parts.rules),
            neighbours_cookies: Vec::new(),
            forwarded: forwarded(&parts.rules),
            answers: reply::always(&parts.headers, parts.embed.as_ref()),
            security: Security::of(&parts.rules),
            headers: parts.headers,
            shared_cache: parts.shared_cache,
            credentials: parts.credentials,
            embed: parts.embed,
            routes: parts.routes,
            rules: parts.rules,
        }
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
    let mut names: Vec<String> = Vec::new();
    for forward in rules.iter().flat_map(|rule| &rule.forward) {
        let name = folded(&forward.header);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
