//! Which policy is explained, and how it is loaded where secrets are missing.

use ct_codecs::{Base64UrlSafeNoPadding, Encoder};
use vigile_policy::{Draft, Host, Invalid, State, Variable};

use crate::check::is_secret;
use crate::policy::{Environment, Policy};

/// A policy that is ready to decide.
pub(super) struct Loaded {
    pub(super) state: State,
    /// What is not set, and what stands in its place.
    pub(super) unset: Vec<Unset>,
}

/// A variable that is not set.
pub(super) struct Unset {
    pub(super) name: String,
    /// What it means for the answer.
    pub(super) effect: &'static str,
    /// Whether a refusal may come of it.
    pub(super) refuses: bool,
    pub(super) stand_in: String,
}

/// Loads a policy. A secret that is not set becomes a random one, and a list of addresses that is not
/// set an address that nobody has.
pub(super) fn load(policy: &Policy<'_>, environment: &Environment) -> Result<Loaded, Vec<Invalid>> {
    if let Some(unreadable) = policy.unreadable() {
        return Err(vec![unreadable.clone()]);
    }
    let mut environment = environment.clone();
    environment.extend(policy.given());
    let mut unset: Vec<Unset> = Vec::new();
    for variable in policy.variables() {
        if !environment.contains_key(&variable.name) && !variable.optional {
            unset.extend(stand_in(&variable));
        }
    }
    environment.extend(unset.iter().map(|unset| (unset.name.clone(), unset.stand_in.clone())));
    let state = Draft::from(policy.tree()).resolve(&environment, Host::ENVOY)?;
    Ok(Loaded { state, unset })
}

/// What stands in the place of a variable, by where the policy reads it; nothing for what has no harmless
/// value.
fn stand_in(variable: &Variable) -> Option<Unset> {
    let name = variable.name.clone();
    let (effect, refuses, stand_in) = match (is_secret(variable), variable.path.as_str()) {
        (true, path) if path.contains("forward.") => {
            ("something else is forwarded here", false, random()?)
        }
        (true, path) if path.ends_with(".secret") => {
            ("no token that it signs is genuine here", true, random()?)
        }
        (true, _) => ("no caller has this key here", true, random()?),
        (false, path) if path.contains("addresses") => {
            ("no address is listed here", true, "0.0.0.0/32".to_owned())
        }
        (false, _) => return None,
    };
    Some(Unset { name, effect, refuses, stand_in })
}

/// Long enough for every algorithm, and base64 as well.
fn random() -> Option<String> {
    let mut bytes = [0; 96];
    getrandom::fill(&mut bytes).ok()?;
    Base64UrlSafeNoPadding::encode_to_string(bytes).ok()
}
