//! What is never printed: secrets of the policy, and the credentials of the request.

use std::collections::BTreeSet;

use super::policy::Loaded;
use super::request::Asked;
use crate::check::{is_secret, written_out};
use crate::policy::{Environment, Policy};

/// Texts that are hidden wherever they stand.
pub(super) struct Hidden(Vec<String>);

/// Shorter ones would hide half the alphabet, and are nobody's secret.
const SHORTEST: usize = 8;

impl Hidden {
    pub(super) fn of(
        policy: &Policy<'_>,
        environment: &Environment,
        loaded: &Loaded,
        asked: &Asked,
    ) -> Self {
        let mut all: BTreeSet<String> =
            loaded.unset.iter().map(|unset| unset.stand_in.clone()).collect();
        let given: Environment = policy.given().collect();
        for variable in policy.variables().iter().filter(|variable| is_secret(variable)) {
            let value = given.get(&variable.name).or_else(|| environment.get(&variable.name));
            all.extend(value.cloned());
        }
        all.extend(
            written_out(policy).iter().filter_map(|(node, _)| node.text().map(str::to_owned)),
        );
        all.extend(presented(policy, asked));
        let mut all: Vec<String> = all.into_iter().filter(|text| text.len() >= SHORTEST).collect();
        // A secret may be part of another one.
        all.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self(all)
    }

    /// A text without any of them, and without anything that looks like a token.
    pub(super) fn from(&self, text: &str) -> String {
        let hide = |text: String, secret: &String| text.replace(secret, MARK);
        without_tokens(&self.0.iter().fold(text.to_owned(), hide))
    }

    /// A header's value; of cookies the names are shown.
    pub(super) fn header(&self, name: &str, value: &str) -> String {
        match name {
            "cookie" => value.split("; ").map(bare_cookie).collect::<Vec<_>>().join("; "),
            "set-cookie" => {
                let (cookie, attributes) = value.split_once(';').unwrap_or((value, ""));
                format!("{};{attributes}", bare_cookie(cookie))
            }
            _ => self.from(value),
        }
    }
}

fn bare_cookie(cookie: &str) -> String {
    match cookie.split_once('=') {
        Some((name, _)) => format!("{name}={MARK}"),
        None => cookie.to_owned(),
    }
}

/// How long it is would help to guess it.
const MARK: &str = "(hidden)";

/// What stands where credentials stand: in headers that carry one, in cookies, in the query.
fn presented(policy: &Policy<'_>, asked: &Asked) -> Vec<String> {
    let places = policy.credential_places();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let in_headers = asked.headers.iter().filter(|(name, _)| places.headers.contains(name));
    let in_headers = in_headers.flat_map(|(name, value)| match name.as_str() {
        "cookie" => text(value)
            .split(';')
            .filter_map(|crumb| crumb.split_once('=').map(|(_, value)| value.trim().to_owned()))
            .collect(),
        // A subprotocol stands in a list.
        _ => text(value)
            .split(|c: char| c.is_whitespace() || c == ',')
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    });
    let path = asked.value(":path");
    let query = path.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let in_query = query.split('&').filter_map(|pair| pair.split_once('='));
    let in_query = in_query.filter(|(name, _)| places.parameters.iter().any(|known| known == name));
    in_headers.chain(in_query.map(|(_, value)| value.to_owned())).collect()
}

/// Hides what has the look of a token: three parts of base64url between dots, long ones.
fn without_tokens(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, behind) = rest.split_at(rest.find(|c| !part(c)).unwrap_or(rest.len()));
        let is_token = word.starts_with("ey") && word.split('.').count() == 3 && word.len() > 40;
        out.push_str(if is_token { MARK } else { word });
        let (between, next) = behind.split_at(behind.find(part).unwrap_or(behind.len()));
        out.push_str(between);
        rest = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Hidden, without_tokens};

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ";

    #[test]
    fn tokens_are_known_by_their_look() {
        let hidden = without_tokens(&format!("/a?token={TOKEN}&b=1, {TOKEN}"));
        assert!(!hidden.contains("eyJ") && hidden.starts_with("/a?token=(hidden)&b=1, ("));
        assert_eq!(
            without_tokens("é www.example.org eyes.of.cats"),
            "é www.example.org eyes.of.cats"
        );
    }

    #[test]
    fn the_longest_secret_is_hidden_first() {
        let hidden = Hidden(vec!["secret-secret".into(), "secret-s".into()]);
        assert_eq!(hidden.from("x secret-secret y"), "x (hidden) y");
    }

    #[test]
    fn cookies_show_their_names() {
        let hidden = Hidden(Vec::new());
        assert_eq!(hidden.header("cookie", "a=1; b=2"), "a=(hidden); b=(hidden)");
        assert_eq!(hidden.header("set-cookie", "a=12; Path=/"), "a=(hidden); Path=/");
    }
}
