//! `modules`: the services behind the gate.

use std::sync::Arc;

use super::forward::folded;
use super::{
    Access, CookieName, Cookies, Credentials, Embed, Headers, Hosts, Issuer, Mode, Need, Route,
    Routes, Rule,
};
use super::{TokenNeed, headers};
use crate::names::Names;
use crate::origin::Origin;
use crate::path::{Pattern, Prefix};
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
    /// Headers of [`OVERRIDES`](super::OVERRIDES) that the app sees as they come.
    pub keep_overrides: Vec<&'static str>,
    /// Whether it lives in a frame.
    pub embed: Option<Embed>,
    /// The headers of every answer.
    pub headers: Headers,
    /// Its Content-Security-Policy, without what `embed` writes.
    pub csp: Option<String>,
    /// Shared caches may keep what a credential admitted.
    pub shared_cache: bool,
    /// The routes by pattern, in the order of the policy.
    pub routes: Routes,
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
    pub(crate) keep_overrides: Vec<&'static str>,
    pub(crate) embed: Option<Embed>,
    pub(crate) headers: Headers,
    /// The headers of Vigile's own answers.
    pub(crate) answers: Vec<(String, String)>,
    /// What its status says of it.
    pub(crate) security: Security,
    /// `csp` and `frame-ancestors` as one policy.
    pub(crate) own_policy: Option<String>,
    pub(crate) shared_cache: bool,
    pub(crate) routes: Routes,
    pub(crate) rules: Vec<Arc<Rule>>,
    /// What the refresh path asks for: a token of any issuer that the routes trust.
    pub(crate) refresh_rule: Arc<Rule>,
    /// No path of the policy for it has a capital letter.
    pub(crate) is_caseless: bool,
    /// The issuers whose tokens any route takes.
    pub(crate) issuers: Vec<Arc<Issuer>>,
    /// The names of all cookies that carry credentials here.
    pub(crate) cookies: Vec<String>,
    /// Those of all modules on a host of its own: a browser sends them here as well, and they
    /// open nothing here.
    pub(crate) neighbours_cookies: Vec<Cookies>,
    /// The names that any route forwards, folded: removed from every request first.
    pub(crate) forwarded: Vec<String>,
}

impl From<ModuleParts> for Module {
    fn from(mut parts: ModuleParts) -> Self {
        // Where no route takes a token the parameter is the app's.
        parts.credentials.query =
            parts.credentials.query.filter(|_| tokens(&parts.rules).next().is_some());
        let refresh = parts.embed.as_ref().and_then(|embed| embed.refresh.as_ref());
        Self {
            is_caseless: parts.routes.is_caseless() && !refresh.is_some_and(Pattern::has_capitals),
            index: parts.index,
            name: parts.name,
            hosts: parts.hosts,
            prefix: parts.prefix,
            mode: parts.mode,
            platform: parts.platform,
            module_claim: parts.module_claim,
            keep_credentials: parts.keep_credentials,
            keep_overrides: parts.keep_overrides,
            own_policy: headers::own_policy(parts.csp.as_deref(), parts.embed.as_ref()),
            refresh_rule: Arc::new(refresh_rule(&parts.rules)),
            issuers: issuers(&parts.rules),
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

/// The issuers of all tokens, each once.
fn issuers(rules: &[Arc<Rule>]) -> Vec<Arc<Issuer>> {
    let mut issuers: Vec<Arc<Issuer>> = Vec::new();
    for token in tokens(rules) {
        if issuers.iter().all(|known| known.index != token.issuer.index) {
            issuers.push(token.issuer.clone());
        }
    }
    issuers
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
        close_at_exp: false,
        forward: Vec::new(),
    }
}

impl Module {
    /// The rule of a route for a method.
    pub(crate) fn rule(&self, route: &Route, method: &str) -> Option<&Arc<Rule>> {
        route.rule(method).and_then(|rule| self.rules.get(rule))
    }

    /// The cookies that carry credentials here, each once.
    pub(crate) fn cookie_names(&self) -> Vec<&CookieName> {
        let mut seen = Names::default();
        let all = named_cookies(&self.credentials, &self.rules);
        all.filter(|name| seen.add(name.plain.clone(), 0).is_none()).collect()
    }

    /// Takes the cookie away that carries a credential of this module, where `own` says so, or of a neighbour.
    pub(crate) fn takes_cookie(&self, name: &str, own: bool) -> bool {
        match self.cookies.iter().any(|cookie| cookie == name) {
            true => own,
            false => self.neighbours_cookies.iter().any(|all| all.get(name).is_some()),
        }
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
    let names = all.flat_map(|cookie| [cookie.plain.as_str(), cookie.partitioned.as_str()]);
    names.collect::<Names>().into_names()
}

fn forwarded(rules: &[Arc<Rule>]) -> Vec<String> {
    let mut names = Names::default();
    for (at, forward) in rules.iter().flat_map(|rule| &rule.forward).enumerate() {
        names.add(folded(&forward.header), at);
    }
    names.into_names()
}
