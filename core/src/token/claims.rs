//! What a token says, typed.

use crate::UnixTime;

/// The claims that the policy may ask about: the registered ones, and those that it names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Claims {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) audience: Option<Audience>,
    pub(crate) expires: Option<UnixTime>,
    pub(crate) not_before: Option<UnixTime>,
    pub(crate) issued: Option<UnixTime>,
    pub(crate) others: Vec<(String, Claim)>,
}

/// `aud`: one, or several (RFC 7519 §4.1.3).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Audience(pub(crate) Vec<String>);

/// A claim that the policy names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Claim {
    One(Scalar),
    Many(Vec<Scalar>),
    Null,
    /// An object, or a list that holds one: no policy can name its value, and no header can carry it.
    Other,
}

/// A value that a policy can name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Text(String),
    Whole(i128),
    /// Not a whole number: equal to nothing that a policy can say.
    Fraction,
    Flag(bool),
}

impl Claims {
    /// A claim by name. Registered ones are found under their names too.
    pub(crate) fn claim(&self, name: &str) -> Option<Claim> {
        let text = |text: &Option<String>| text.clone().map(|text| Claim::One(Scalar::Text(text)));
        let time =
            |time: Option<UnixTime>| time.map(|time| Claim::One(Scalar::Whole(time.0.into())));
        match name {
            "iss" => text(&self.issuer),
            "sub" => text(&self.subject),
            "aud" => self
                .audience
                .clone()
                .map(|Audience(all)| Claim::Many(all.into_iter().map(Scalar::Text).collect())),
            "exp" => time(self.expires),
            "nbf" => time(self.not_before),
            "iat" => time(self.issued),
            _ => {
                self.others.iter().find(|(known, _)| known == name).map(|(_, claim)| claim.clone())
            }
        }
    }

    /// Whether both are of one subject. Who names none may be anybody: such tokens are alike only where they are equal.
    pub(crate) fn is_of_the_same(&self, other: &Self) -> bool {
        match (&self.subject, &other.subject) {
            (None, None) => self == other,
            (one, other) => one == other,
        }
    }

    /// A claim that is one string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match name {
            "iss" => self.issuer.as_deref(),
            "sub" => self.subject.as_deref(),
            _ => match self.others.iter().find(|(known, _)| known == name) {
                Some((_, Claim::One(Scalar::Text(text)))) => Some(text),
                _ => None,
            },
        }
    }

    /// The words of a roles claim: an array, or one string with spaces between (as `scope` has,
    /// RFC 8693 §4.2).
    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        match self.claim(name) {
            Some(Claim::One(Scalar::Text(text))) => {
                text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
            }
            Some(Claim::Many(all)) => all
                .into_iter()
                .filter_map(|scalar| match scalar {
                    Scalar::Text(text) => Some(text),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// What remembering these costs, in bytes, within a factor of two.
    pub(crate) fn weight(&self) -> usize {
        let claim = |claim: &Claim| match claim {
            Claim::One(scalar) => scalar.weight(),
            Claim::Many(all) => all.iter().map(Scalar::weight).sum(),
            Claim::Null | Claim::Other => 0,
        };
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let others: usize = self
            .others
            .iter()
            .map(|(name, value)| name.len().saturating_add(claim(value)).saturating_add(64))
            .sum();
        let audience: usize = self
            .audience
            .iter()
            .flat_map(|Audience(all)| all)
            .map(|one| one.len().saturating_add(24))
            .sum();
        [text(&self.issuer), text(&self.subject), audience, others, 200].into_iter().sum()
    }
}

impl Claim {
    /// Whether it is as good as absent: null, an empty text, a list of nothing.
    pub(crate) fn says_nothing(&self) -> bool {
        let empty = |scalar: &Scalar| matches!(scalar, Scalar::Text(text) if text.is_empty());
        match self {
            Self::One(scalar) => empty(scalar),
            Self::Many(all) => all.iter().all(empty),
            Self::Null => true,
            Self::Other => false,
        }
    }
}

impl Scalar {
    fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len().saturating_add(40),
            _ => 40,
        }
    }
}
