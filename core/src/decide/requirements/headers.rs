//! `require_headers`: a reason that an admin must give, for the audit line.

use crate::Reason;
use crate::decide::failure::{Detail, Failure, Proven};
use crate::decide::visit::Visit;
use crate::policy::{LONGEST_TEXT, Need, RequiredHeader};
use crate::request::Request;

pub(super) fn check(visit: &Visit<'_>, _: &Need, _: &Proven) -> Result<(), Failure> {
    match visit.rule.require_headers.iter().find(|header| !holds(header, &visit.request)) {
        None => Ok(()),
        Some(header) => {
            Err(Failure::new(Reason::HeaderRequired, Detail::Header(header.name.clone())))
        }
    }
}

/// Once, readable, and long enough without the spaces around it.
fn holds(header: &RequiredHeader, request: &Request<'_>) -> bool {
    let text = request.value(&header.name).and_then(|value| std::str::from_utf8(value).ok());
    let length = |text: &str| u32::try_from(text.trim().chars().count()).unwrap_or(u32::MAX);
    text.is_some_and(|text| (header.min_length..=LONGEST_TEXT).contains(&length(text)))
}
