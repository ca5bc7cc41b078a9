//! A request as the host hands it over, and what can be read from it without believing any of it.

mod caller;
mod cookies;
mod protocols;
mod query;
mod target;

use std::net::SocketAddr;

pub(crate) use caller::{Caller, Destination, SentOrigin, Site, language};
pub(crate) use cookies::{cookie_values, without_cookies};
pub(crate) use protocols::{OFFERED, offers, offers_like, protocol_tokens, without_protocol};
pub(crate) use query::{MARK, overriding_methods, parameter_values, without_parameter};
pub(crate) use target::Target;

/// A request: borrowed bytes, names in lower case, pseudo-headers among them as HTTP/2 has them
/// (`:method`, `:path`, `:authority`, `:scheme`).
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// All headers, in the order in which they came.
    pub headers: &'r [(String, Vec<u8>)],
    /// The address of the connection, where the host knows one.
    pub peer: Option<SocketAddr>,
    /// Nothing follows the headers: there is no body.
    pub end_of_stream: bool,
}

/// A header that should stand once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Single<'r> {
    Absent,
    Value(&'r [u8]),
    Repeated,
}

impl<'r> Request<'r> {
    /// Every value of a header.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        let headers = self.headers;
        headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// The value of a header that should stand once.
    pub(crate) fn single(&self, name: &str) -> Single<'r> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (None, _) => Single::Absent,
            (Some(value), None) => Single::Value(value),
            _ => Single::Repeated,
        }
    }

    /// The same where a repeated header counts as none.
    pub(crate) fn value(&self, name: &str) -> Option<&'r [u8]> {
        match self.single(name) {
            Single::Value(value) => Some(value),
            _ => None,
        }
    }
}
