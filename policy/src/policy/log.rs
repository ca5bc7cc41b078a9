//! `log`: which decisions are written down, and what of them is masked.

use crate::document::Node;

/// What is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    /// Every decision, not refusals alone.
    pub(crate) all: bool,
    /// The local part of e-mail addresses is masked.
    pub(crate) mask_email: bool,
    /// The last two octets of addresses are masked.
    pub(crate) mask_address: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Mask {
    Email,
    Address,
}

/// Reads the section.
pub(super) fn read(node: &Node<'_>) -> Option<Log> {
    let section = node.section("{ events: all, mask: [email] }")?;
    let all = section.or("events", false, |node| node.word(&[("refusals", false), ("all", true)]));
    let masks = section.or("mask", Vec::new(), |node| {
        node.each("[email, address]", |node| {
            node.word(&[("email", Mask::Email), ("address", Mask::Address)])
        })
    });
    let masks = masks?;
    Some(Log {
        all: all?,
        mask_email: masks.contains(&Mask::Email),
        mask_address: masks.contains(&Mask::Address),
    })
}
