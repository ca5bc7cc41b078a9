//! `target → module → route`: which rule a request meets, in every way in which it can be read.

use std::sync::Arc;

use super::failure::Detail;
use crate::Reason;
use crate::path::{Case, Unreadable, readings};
use crate::policy::{Module, Policy, Route, Rule};
use crate::request::Target;

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

impl From<Reason> for Nowhere {
    fn from(reason: Reason) -> Self {
        Self { reason, module: None, detail: Detail::None }
    }
}

/// Finds the place of a request, refusing what could be read as belonging elsewhere.
pub(crate) fn place(policy: &Policy, target: &Target<'_>) -> Result<Place, Nowhere> {
    let near = nearest(policy, target);
    let plainly = find(near.clone(), target, target.path, Case::Kept);
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
    let elsewhere = |path: &[u8], case| {
        !find(near.clone(), target, path, case).is_ok_and(|other| place.is_like(&other))
    };
    let ambiguous = readings.iter().any(|path| {
        elsewhere(path, Case::Kept)
            || elsewhere(path, Case::Folded)
            || place.could_be_a_parameter(path, target.method)
    });
    if ambiguous { Err(nowhere(Reason::PathAmbiguous)) } else { plainly }
}

/// The modules whose hosts name the request's host most exactly. As among Envoy's virtual hosts, a less
/// exact one is not asked when a more exact one lacks the path.
fn nearest<'p>(
    policy: &'p Policy,
    target: &Target<'_>,
) -> impl Iterator<Item = &'p Arc<Module>> + Clone {
    let exactness = |module: &Module| module.hosts.matches(&target.host);
    let best = policy.modules.iter().filter_map(|module| exactness(module)).max();
    policy.modules.iter().filter(move |module| best.is_some() && exactness(module) == best)
}

fn find<'p>(
    near: impl Iterator<Item = &'p Arc<Module>>,
    target: &Target<'_>,
    path: &[u8],
    case: Case,
) -> Result<Place, Nowhere> {
    let under = near.filter(|module| module.prefix.matches(path, case));
    let Some(module) = under.max_by_key(|module| module.prefix.as_str().len()) else {
        return Err(Reason::ModuleUnknown.into());
    };
    let module = Arc::clone(module);
    let refresh = module.embed.as_ref().and_then(|embed| embed.refresh.as_ref());
    if refresh.is_some_and(|refresh| refresh.matches(path, case)) {
        return match target.method {
            "GET" => Ok(Place { module, spot: Spot::Refresh }),
            _ => Err(not_allowed(module, "GET".to_owned())),
        };
    }
    let mut routes = module.routes.iter().enumerate();
    let Some((index, route)) = routes.find(|(_, route)| route.pattern.matches(path, case)) else {
        return Err(Nowhere {
            reason: Reason::RouteUnknown,
            module: Some(module),
            detail: Detail::None,
        });
    };
    match route.rule(target.method).and_then(|rule| module.rules.get(rule)) {
        Some(rule) => {
            let spot = Spot::Rule { route: index, rule: rule.clone() };
            Ok(Place { module, spot })
        }
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

    /// Whether an empty segment of the path, as an empty parameter, meets a route that asks for something else.
    /// The order of the routes does not count: the app's router has its own.
    fn could_be_a_parameter(&self, path: &[u8], method: &str) -> bool {
        let has_empty = path.windows(2).any(|pair| pair == b"//") || path.ends_with(b"/");
        let Spot::Rule { rule: own, .. } = &self.spot else { return false };
        if !has_empty || path == b"/" {
            return false;
        }
        let rule = |route: &Route| route.rule(method).and_then(|rule| self.module.rules.get(rule));
        self.module.routes.iter().any(|route| {
            let other = rule(route).is_none_or(|rule| !Arc::ptr_eq(rule, own));
            other && route.pattern.takes_empty(path, Case::Folded)
        })
    }

    /// Whether both ask for the same. Equal rules of a module are one ([`crate::policy`]).
    fn is_like(&self, other: &Self) -> bool {
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
