//! The requirements of a policy's routes, as they are written: whether one lets in more callers than another.

use std::collections::{BTreeMap, BTreeSet};

use vigile_policy::Tree;

use crate::config::Node;

/// The callers that a route lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Vigile answers itself, and no app does.
    Own,
    /// Whoever meets one of these.
    Needs(Vec<Need>),
}

/// Things that must hold at once; without any, everybody may come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Need {
    addresses: BTreeSet<String>,
    keys: Option<Keys>,
    token: Option<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Keys {
    names: BTreeSet<String>,
    /// Written by their roles: which keys these are is not looked up.
    by_roles: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    issuer: String,
    roles: BTreeSet<String>,
    claims: BTreeMap<String, BTreeSet<String>>,
}

impl Access {
    /// Reads what a route says.
    pub(super) fn of(route: &Node<'_>) -> Self {
        if ["status", "logout"].iter().any(|key| route.get(key).is_some()) {
            return Self::Own;
        }
        let every = Need::of(route);
        let any_of = route.get("any_of").map(|any_of| any_of.items().collect::<Vec<_>>());
        let alternatives = any_of.unwrap_or_default();
        match alternatives.is_empty() {
            true => Self::Needs(vec![every]),
            false => Self::Needs(alternatives.iter().map(|one| every.and(Need::of(one))).collect()),
        }
    }

    /// Tells whether everybody may come in.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Needs(needs) if needs.contains(&Need::default()))
    }

    /// Tells whether a caller must be one of few: by a role, a claim or an address.
    pub(super) fn is_narrow(&self) -> bool {
        let is_narrow = |need: &Need| {
            let token = need.token.as_ref();
            let by_token = token.is_some_and(|one| !one.roles.is_empty() || !one.claims.is_empty());
            let by_key = need.keys.as_ref().is_some_and(|keys| keys.by_roles);
            by_token || by_key || !need.addresses.is_empty()
        };
        matches!(self, Self::Needs(needs) if needs.iter().any(is_narrow))
    }

    /// Tells whether whoever comes in here could come in there as well.
    pub(super) fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Own, _) | (_, Self::Own) => true,
            (Self::Needs(own), Self::Needs(others)) => {
                own.iter().all(|need| others.iter().any(|other| need.implies(other)))
            }
        }
    }
}

impl Need {
    fn of(section: &Node<'_>) -> Self {
        let token = section.get("token");
        let optional = token.as_ref().is_some_and(|token| token.get("optional").is_some());
        let keys = section.get("api_key").map(|keys| match keys.get("roles") {
            Some(roles) => Keys { names: words(&roles), by_roles: true },
            None => Keys { names: words(&keys), by_roles: false },
        });
        Self {
            // With `deny` alone almost everybody may come.
            addresses: section.get("addresses").filter(lists).iter().map(said).collect(),
            keys,
            token: token.filter(|_| !optional).map(|token| Token::of(&token)),
        }
    }

    fn and(&self, alternative: Self) -> Self {
        Self {
            addresses: self.addresses.union(&alternative.addresses).cloned().collect(),
            keys: self.keys.clone().or(alternative.keys),
            token: self.token.clone().or(alternative.token),
        }
    }

    fn implies(&self, other: &Self) -> bool {
        let keys = other.keys.as_ref().is_none_or(|wanted| {
            self.keys.as_ref().is_some_and(|own| {
                own.by_roles == wanted.by_roles && own.names.is_subset(&wanted.names)
            })
        });
        let token = other
            .token
            .as_ref()
            .is_none_or(|wanted| self.token.as_ref().is_some_and(|own| own.implies(wanted)));
        keys && token && other.addresses.is_subset(&self.addresses)
    }
}

impl Token {
    fn of(token: &Node<'_>) -> Self {
        let claims = token.get("claims");
        let claims = claims.iter().flat_map(Node::entries);
        Self {
            issuer: token.get("issuer").map(|issuer| said(&issuer)).unwrap_or_default(),
            roles: token.get("roles").map(|roles| words(&roles)).unwrap_or_default(),
            claims: claims.map(|(name, values)| (name.to_owned(), words(&values))).collect(),
        }
    }

    fn implies(&self, wanted: &Self) -> bool {
        let within = |own: &BTreeSet<String>, wanted: &BTreeSet<String>| {
            !own.is_empty() && own.is_subset(wanted)
        };
        let claim = |(name, wanted): (&String, &BTreeSet<String>)| {
            self.claims.get(name).is_some_and(|own| within(own, wanted))
        };
        self.issuer == wanted.issuer
            && (wanted.roles.is_empty() || within(&self.roles, &wanted.roles))
            && wanted.claims.iter().all(claim)
    }
}

fn lists(addresses: &Node<'_>) -> bool {
    let is_map = !addresses.yaml().entries().is_empty();
    !is_map || ["env", "allow"].iter().any(|key| addresses.get(key).is_some())
}

/// The items of a list, or the one thing that stands there.
fn words(node: &Node<'_>) -> BTreeSet<String> {
    match node.yaml().items() {
        [] => BTreeSet::from([said(node)]),
        items => items.iter().map(|item| shown(&item.tree())).collect(),
    }
}

fn said(node: &Node<'_>) -> String {
    shown(&node.yaml().tree())
}

/// A value in one spelling.
fn shown(tree: &Tree) -> String {
    serde_json::to_string(tree).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Access;
    use crate::config::Node;
    use crate::yaml::Yaml;

    fn access(route: &str) -> Access {
        Access::of(&Node::root(&Yaml::parse(route).unwrap()))
    }

    #[test]
    fn one_route_lets_in_no_more_than_another() {
        for (one, other, implies) in [
            ("token: { issuer: a, roles: [admin] }", "token: { issuer: a }", true),
            ("token: { issuer: a }", "token: { issuer: a, roles: [admin] }", false),
            (
                "token: { issuer: a, roles: [admin] }",
                "token: { issuer: a, roles: [admin, user] }",
                true,
            ),
            (
                "token: { issuer: a, roles: [admin, user] }",
                "token: { issuer: a, roles: [admin] }",
                false,
            ),
            ("token: { issuer: a }", "token: { issuer: b }", false),
            (
                "token: { issuer: a, claims: { p: 1, q: 2 } }",
                "token: { issuer: a, claims: { p: [1, 2] } }",
                true,
            ),
            (
                "token: { issuer: a, claims: { q: 2 } }",
                "token: { issuer: a, claims: { p: 1 } }",
                false,
            ),
            ("token: { issuer: a, optional: true }", "token: { issuer: a }", false),
            ("token: { issuer: a }", "token: { issuer: a, optional: true }", true),
            ("token: { issuer: a }", "public: true", true),
            ("public: true", "token: { issuer: a }", false),
            ("api_key: [x]", "api_key: [x, y]", true),
            ("api_key: [x, y]", "api_key: [x]", false),
            ("api_key: { roles: [w] }", "api_key: [w]", false),
            ("api_key: [x]", "any_of: [{ api_key: [x] }, { token: { issuer: a } }]", true),
            ("any_of: [{ api_key: [x] }, { token: { issuer: a } }]", "api_key: [x]", false),
            ("api_key: [x]\naddresses: [192.0.2.1]", "addresses: [192.0.2.1]", true),
            ("api_key: [x]", "addresses: [192.0.2.1]", false),
            ("addresses: { deny: [192.0.2.1] }", "addresses: [192.0.2.1]", false),
            ("status: true", "token: { issuer: a }", true),
        ] {
            assert_eq!(access(one).implies(&access(other)), implies, "{one} -> {other}");
        }
    }

    #[test]
    fn open_and_narrow_routes_are_told() {
        assert!(access("public: true").is_open() && access("addresses: { deny: [a] }").is_open());
        assert!(!access("token: { issuer: a }").is_open() && !access("status: true").is_open());
        for route in
            ["token: { issuer: a, roles: [r] }", "addresses: [a]", "api_key: { roles: [r] }"]
        {
            assert!(access(route).is_narrow(), "{route}");
        }
        assert!(!access("token: { issuer: a }").is_narrow() && !access("api_key: [x]").is_narrow());
    }
}
