//! The cases: what callers present, what answers, and what the cost is held against.

use std::fmt;

use vigile_policy::Algorithm;

/// What stands in a listener before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// No filter: what everything else is added to.
    None,
    /// `jwt_authn` (or `api_key_auth`), `rbac` and the virtual host's response headers.
    Native,
    /// The same with `jwt_authn`'s cache of verified tokens.
    Cached,
    /// The module, with a policy that asks for the same.
    Vigile,
}

impl Variant {
    pub const ALL: [Self; 4] = [Self::None, Self::Native, Self::Cached, Self::Vigile];
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "no filter",
            Self::Native => "native",
            Self::Cached => "native, cache",
            Self::Vigile => "Vigile",
        })
    }
}

/// What is wrong with a token, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Good,
    Expired,
    /// Signed with an algorithm that the issuer does not list.
    OtherAlgorithm,
    /// Good, for another module.
    OtherModule,
    /// Three parts of random base64url.
    Garbage,
    /// The claims are the attacker's, the signature is of another token: nothing short of verifying tells.
    Forged,
}

/// What callers present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// So many distinct tokens, one after the other and again from the first.
    Tokens(Algorithm, Kind, usize),
    ApiKey,
    /// Nothing, on the public route.
    Nothing,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub presented: Presented,
    /// The policy's `remember_tokens`, where it says something.
    pub remember: Option<u32>,
    /// Whether both write a line per refusal.
    pub lines: bool,
    /// The variant whose added cost is the measure of Vigile's.
    pub against: Variant,
    /// The most that Vigile may add, as a ratio to `against`; where nobody set one, none.
    pub target: Option<f64>,
}

/// What a listener must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub status: u16,
    /// Vigile's word for a refusal.
    pub reason: Option<&'static str>,
}

impl Case {
    /// The variants that this case compares, in the order in which they are tried.
    pub fn variants(&self) -> Vec<Variant> {
        let remembers = matches!(self.presented, Presented::Tokens(..)) && self.remember != Some(0);
        Variant::ALL.into_iter().filter(|it| *it != Variant::Cached || remembers).collect()
    }

    pub fn expected(&self, variant: Variant) -> Expected {
        let kind = match self.presented {
            Presented::Tokens(_, kind, _) => kind,
            Presented::ApiKey | Presented::Nothing => Kind::Good,
        };
        let refused = |status, reason| match variant {
            Variant::None => Expected { status: 200, reason: None },
            Variant::Native | Variant::Cached => Expected { status, reason: None },
            Variant::Vigile => Expected { status, reason: Some(reason) },
        };
        match kind {
            Kind::Good => Expected { status: 200, reason: None },
            Kind::Expired => refused(401, "token.expired"),
            Kind::OtherAlgorithm => refused(401, "token.algorithm"),
            Kind::OtherModule => refused(403, "token.module"),
            Kind::Garbage => refused(401, "token.malformed"),
            Kind::Forged => refused(401, "token.signature"),
        }
    }

    /// The name of a listener.
    pub fn listener(&self, variant: Variant) -> String {
        format!("{}: {variant}", self.name)
    }
}

const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];

/// More than any cache here would hold, were refused tokens kept in one.
const FLOOD: usize = 5000;

/// Every case, in the order of the table.
pub fn all() -> Vec<Case> {
    use Algorithm::{EdDsa, Hs256, Rs256};
    let mut all = Vec::new();
    for algorithm in ALGORITHMS {
        all.push(tokens(format!("warm {algorithm}"), algorithm, Kind::Good, 100).at_most(1.0));
    }
    for algorithm in ALGORITHMS {
        let case = tokens(format!("cold {algorithm}"), algorithm, Kind::Good, 100);
        let case = case.remembering(0).at_most(if algorithm == EdDsa { 1.5 } else { 1.0 });
        all.push(Case { against: Variant::Native, ..case });
    }
    for algorithm in [Hs256, Rs256] {
        all.push(tokens(format!("many {algorithm}"), algorithm, Kind::Good, 2000).at_most(0.7));
    }
    for algorithm in [Hs256, Rs256] {
        let name = format!("many {algorithm}, caches of 1,000");
        all.push(tokens(name, algorithm, Kind::Good, 2000).remembering(1000).at_most(1.0));
    }
    for (what, kind) in CHEAP {
        all.push(tokens(format!("flood: {what}"), Hs256, kind, FLOOD).at_most(1.0));
    }
    for algorithm in ALGORITHMS {
        let name = format!("flood: bad signature {algorithm}");
        let case = tokens(name, algorithm, Kind::Forged, FLOOD);
        all.push(if algorithm == EdDsa { case } else { case.at_most(1.1) });
    }
    for (what, algorithm, kind) in
        [("expired", Hs256, Kind::Expired), ("bad signature RS256", Rs256, Kind::Forged)]
    {
        let case = tokens(format!("flood: {what}, not logged"), algorithm, kind, FLOOD);
        all.push(Case { lines: false, ..case });
    }
    all.push(other("API key", Presented::ApiKey));
    all.push(other("public route", Presented::Nothing));
    all
}

/// What can be refused without a look at the signature; HS256, where native has least to do.
const CHEAP: [(&str, Kind); 4] = [
    ("expired", Kind::Expired),
    ("wrong alg", Kind::OtherAlgorithm),
    ("wrong module", Kind::OtherModule),
    ("garbage", Kind::Garbage),
];

fn tokens(name: String, algorithm: Algorithm, kind: Kind, count: usize) -> Case {
    let presented = Presented::Tokens(algorithm, kind, count);
    let against = Variant::Cached;
    Case { name, presented, remember: None, lines: true, against, target: None }
}

fn other(name: &str, presented: Presented) -> Case {
    let against = Variant::Native;
    Case { name: name.to_owned(), presented, remember: None, lines: true, against, target: None }
}

impl Case {
    fn remembering(self, tokens: u32) -> Self {
        Self { remember: Some(tokens), ..self }
    }

    fn at_most(self, ratio: f64) -> Self {
        Self { target: Some(ratio), ..self }
    }
}
