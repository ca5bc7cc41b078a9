//! `target → module → route`: which rule a request meets, in every way in which it can be read.

use std::sync::Arc;

use super::failure::Detail;
use crate::Reason;
use crate::path::{Case, Unreadable, readings};
use crate::policy::{Module, Policy, Route, Rule};
use crate::request::{Target, overriding_methods};

/// Where a request belongs.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) module: Arc<Module>,
    spot: Spot,
}

/// What of a module it meets.
#[derive(Clone)]
enum Spot {
    /// The path from which the platform's page refreshes a session.
    Refresh,
    /// A route by its index, and its rule for the method.
    Rule { route: usize, rule: Arc<Rule> },
}

/// A request that no rule takes.
pub(crate) struct Nowhere {
    pub(crate) reason: Reason,
    pub(crate) module: Option<Arc<Module>>,
    pub(crate) detail: Detail,
}

impl Nowhere {
    /// A request whose target cannot be read.
    pub(crate) fn malformed(problem: &'static str) -> Self {
        let detail = Detail::Text(problem);
        Self { reason: Reason::RequestMalformed, module: None, detail }
    }
}

impl From<Reason> for Nowhere {
    fn from(reason: Reason) -> Self {
        Self { reason, module: None, detail: Detail::None }
    }
}

/// Finds the place of a request, refusing what could be read as belonging elsewhere.
pub(crate) fn place(policy: &Policy, target: &Target<'_>) -> Result<Place, Nowhere> {
    let plainly = find(policy, target, target.path, Case::Kept);
    let nowhere = |reason| {
        let module = match &plainly {
            Ok(place) => Some(place.module.clone()),
            Err(nowhere) => nowhere.module.clone(),
        };
        Nowhere { reason, module, detail: Detail::None }
    };
    let readings = readings(target.path).map_err(|unreadable| {
        nowhere(match unreadable {
            Unreadable::Invalid => Reason::PathInvalid,
            Unreadable::TooLong => Reason::PathTooLong,
            Unreadable::Ambiguous => Reason::PathAmbiguous,
        })
    })?;
    let Ok(place) = &plainly else { return plainly };
    let is_like = |path: &[u8], case| {
        find(policy, target, path, case).is_ok_and(|other| place.is_like(&other))
    };
    let mut each = readings.iter().enumerate();
    let agree = each.all(|(at, path)| {
        // The first one is the path as it stands.
        (at == 0 || is_like(path, Case::Kept))
            && (policy.modules.is_caseless(&place.module, path) || is_like(path, Case::Folded))
            && place.as_parameter(path, target.method).is_none()
    });
    match agree {
        false => Err(nowhere(Reason::PathAmbiguous)),
        true if place.could_be_another_method(target) => Err(nowhere(Reason::MethodAmbiguous)),
        true => plainly,
    }
}

pub(super) fn find(
    policy: &Policy,
    target: &Target<'_>,
    path: &[u8],
    case: Case,
) -> Result<Place, Nowhere> {
    let Some(module) = policy.modules.find(&target.host, path, case).cloned() else {
        return Err(Reason::ModuleUnknown.into());
    };
    let refresh = module.embed.as_ref().and_then(|embed| embed.refresh.as_ref());
    if refresh.is_some_and(|refresh| refresh.matches(path, case)) {
        return match target.method {
            "GET" => Ok(Place { module, spot: Spot::Refresh }),
            _ => Err(not_allowed(module, "GET".to_owned())),
        };
    }
    let Some((index, route)) = module.routes.first(path, case) else {
        return Err(Nowhere {
            reason: Reason::RouteUnknown,
            module: Some(module),
            detail: Detail::None,
        });
    };
    match module.rule(route, target.method).cloned() {
        Some(rule) => Ok(Place { module, spot: Spot::Rule { route: index, rule } }),
        None => {
            let allow = route.allow();
            Err(not_allowed(module, allow))
        }
    }
}

fn not_allowed(module: Arc<Module>, allow: String) -> Nowhere {
    let detail = Detail::Allow(allow);
    Nowhere { reason: Reason::MethodNotAllowed, module: Some(module), detail }
}

impl Place {
    pub(crate) fn is_refresh(&self) -> bool {
        matches!(self.spot, Spot::Refresh)
    }

    pub(crate) fn rule(&self) -> Arc<Rule> {
        match &self.spot {
            Spot::Refresh => self.module.refresh_rule.clone(),
            Spot::Rule { rule, .. } => rule.clone(),
        }
    }

    /// The path of the route, as the policy writes it.
    pub(crate) fn shown(&self) -> String {
        match &self.spot {
            Spot::Refresh => "embed.refresh".to_owned(),
            Spot::Rule { route, .. } => self
                .module
                .routes
                .get(*route)
                .map(|route| route.pattern.as_str().to_owned())
                .unwrap_or_default(),
        }
    }

    /// The route that an empty segment of the path, as an empty parameter, meets, and that asks for something else.
    /// The order of the routes does not count: the app's router has its own.
    pub(super) fn as_parameter(&self, path: &[u8], method: &str) -> Option<&Route> {
        let Spot::Rule { rule: own, .. } = &self.spot else { return None };
        let has_empty = path.ends_with(b"/") || path.windows(2).any(|pair| pair == b"//");
        if !has_empty || path == b"/" {
            return None;
        }
        let is_other = |route: &Route| {
            let rule = self.module.rule(route, method);
            route.pattern.has_parameter() && rule.is_none_or(|rule| !Arc::ptr_eq(rule, own))
        };
        let mut found = None;
        let routes = &self.module.routes;
        routes.each_taking_empty(path, &mut |at| {
            found = found.or_else(|| routes.get(at).filter(|route| is_other(route)));
        });
        found
    }

    /// Tells that the query names another method (`_method=DELETE`), for which the route asks for something else.
    fn could_be_another_method(&self, target: &Target<'_>) -> bool {
        let Spot::Rule { route, rule: own } = &self.spot else { return false };
        let Some(route) = self.module.routes.get(*route) else { return false };
        let lists_methods = route.entries.iter().any(|entry| entry.methods.is_some());
        lists_methods
            && overriding_methods(target.query.unwrap_or_default()).any(|method| {
                self.module.rule(route, &method).is_none_or(|rule| !Arc::ptr_eq(rule, own))
            })
    }

    /// Tells that both ask for the same. Equal rules of a module are one ([`crate::policy`]).
    pub(super) fn is_like(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.module, &other.module)
            && match (&self.spot, &other.spot) {
                (Spot::Refresh, Spot::Refresh) => true,
                (Spot::Rule { rule: one, .. }, Spot::Rule { rule: other, .. }) => {
                    Arc::ptr_eq(one, other)
                }
                _ => false,
            }
    }
}
