//! A page that has the browser come again, before a frame's session becomes another subject's.
//!
//! Browsers keep the cookie of an answer whose page they then refuse to show: so `frame-ancestors` alone
//! does not stop a hostile frame from planting its own session, beside the platform's frame or in a
//! browser without partitioned cookies (observed on Chromium 156). This page sets no cookie. Where it may
//! be shown, its script asks again, and Sec-Fetch-Site then says `same-origin`, which no other site can.

use std::sync::Arc;

use super::page::hash;
use super::{Reply, content_policy};
use crate::Reason;
use crate::policy::Module;

/// In a sandbox without an origin of its own every request is another site's: asking again would not end.
const SCRIPT: &str = "if (origin === location.origin) location.replace(location.href);";

/// The page, with the same address as the request.
pub(crate) fn again(module: &Arc<Module>) -> Reply {
    let mut reply = Reply::of(Reason::ExchangeAgain, Some(module));
    let sources = format!("script-src '{}'; ", hash(SCRIPT));
    reply.set("content-security-policy", content_policy(&sources, module.embed.as_ref()));
    let page =
        format!("<!doctype html>\n<title>{}</title>\n<script>{SCRIPT}</script>\n", module.name);
    reply.with_body("text/html; charset=utf-8", page.into_bytes())
}
