//! `log`: which decisions are written down, and what of them is masked.

/// What is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Every decision, not refusals alone.
    pub all: bool,
    /// The local part of e-mail addresses is masked.
    pub mask_email: bool,
    /// The last two octets of addresses are masked.
    pub mask_address: bool,
}
