//! `log`: which decisions are written down, and what of them is masked.

use vigile_core::policy::Log;

use crate::document::Node;

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
