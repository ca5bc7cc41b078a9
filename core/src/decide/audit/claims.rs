//! Says which claim of a verified token does not fit.

use super::words::Sentence;
use crate::decide::edits;
use crate::decide::failure::Failure;
use crate::decide::requirements::lacking;
use crate::decide::visit::Visit;
use crate::policy::{Need, Value};
use crate::token::{Claim, Scalar};

/// `claims`: the first one that does not hold.
#[cold]
pub(super) fn claims(said: &mut Sentence, need: &Need, failure: &Failure) -> Option<()> {
    let token = failure.proven.token.as_ref()?;
    let (name, values) = lacking(need.token.as_ref()?, &token.claims)?;
    said.say(&["the claim ", name, " must be "]);
    said.any_of(values.len(), &mut |said, at| match values.get(at) {
        Some(Value::Text(text)) => said.guarded(text),
        Some(Value::Whole(number)) => said.say(&[&number.to_string()]),
        Some(Value::Flag(flag)) => said.say(&[if *flag { "true" } else { "false" }]),
        None => {}
    });
    said.say(&["; the token says "]);
    said.claim(token.claims.claim(name).as_ref());
    Some(())
}

/// `roles`: none of them is held.
#[cold]
pub(super) fn roles(said: &mut Sentence, need: &Need, failure: &Failure) -> Option<()> {
    let token = failure.proven.token.as_ref()?;
    let name = &token.issuer.roles_claim;
    said.say(&["the claim ", name, " must hold "]);
    said.any_of_quoted(&need.token.as_ref()?.roles);
    said.say(&["; the token says "]);
    said.claim(token.claims.claim(name).as_ref());
    Some(())
}

/// `api_key.roles`: the roles that the policy gives to the key.
#[cold]
pub(super) fn key_roles(said: &mut Sentence, need: &Need, failure: &Failure) -> Option<()> {
    let key = failure.proven.api_key.as_ref()?;
    said.say(&["the key's roles must hold "]);
    said.any_of_quoted(&need.key_roles);
    said.say(&["; ", &key.name, if key.roles.is_empty() { " has none" } else { " has " }]);
    said.any_of_quoted(&key.roles);
    Some(())
}

/// `forward`: the claim that no header can carry.
#[cold]
pub(super) fn unsendable(said: &mut Sentence, visit: &Visit<'_>, failure: &Failure) -> Option<()> {
    let (header, name) = edits::unsendable(&visit.rule, &failure.proven)?;
    let claim = failure.proven.token.as_ref()?.claims.claim(name)?;
    said.say(&[header, " is to be the claim ", name, ", which holds ", problem(&claim), ": "]);
    said.claim(Some(&claim));
    Some(())
}

/// Names the property of a claim by which no header carries it.
#[cold]
fn problem(claim: &Claim) -> &'static str {
    let all = match claim {
        Claim::One(one) => std::slice::from_ref(one),
        Claim::Many(all) => all,
        Claim::Null | Claim::Other => return "an object, or a list that holds one",
    };
    for one in all {
        match one {
            Scalar::Text(text) if text.bytes().any(|byte| byte.is_ascii_control()) => {
                return "a control character";
            }
            Scalar::Text(text) if !text.is_ascii() => return "letters outside ASCII",
            Scalar::Fraction => return "a number that is not whole",
            _ => {}
        }
    }
    match claim {
        Claim::One(_) => "spaces at its ends",
        _ => "a comma within an item, or spaces at its ends",
    }
}

/// The subjects of the session that is open and of the token that would replace it.
#[cold]
pub(super) fn subjects(said: &mut Sentence, failure: &Failure) -> Option<()> {
    let token = failure.proven.token.as_ref()?;
    said.say(&["the token is of "]);
    subject(said, token.claims.subject.as_deref());
    said.say(&["; the session in the browser is of "]);
    match &token.beside {
        Some(session) => subject(said, session.subject.as_deref()),
        None => said.say(&["somebody who is not known any more"]),
    }
    Some(())
}

#[cold]
fn subject(said: &mut Sentence, subject: Option<&str>) {
    match subject {
        Some(subject) => said.quoted(subject),
        None => said.say(&["nobody by name"]),
    }
}
