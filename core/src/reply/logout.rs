//! `logout: true`: the session's cookies are taken back.

use std::sync::Arc;

use super::Reply;
use crate::Reason;
use crate::policy::{CookieName, Module};

/// What a page may have kept of the session, beside cookies. Not `"cookies"`: those of every host of the
/// registrable domain would go, the platform's own session among them (Clear Site Data §3.1).
const KEPT: &str = "\"cache\", \"storage\"";

/// 204, and each cookie of the module anew, without a value and at its end.
pub(crate) fn logout(module: &Arc<Module>) -> Reply {
    let mut reply = Reply::of(Reason::LogoutDone, Some(module));
    reply.set("clear-site-data", KEPT);
    for CookieName { plain, partitioned } in module.cookie_names() {
        // A cookie is another's place only by name, domain, path and partition (RFC 6265bis §5.7), and
        // `__Host-` cookies are taken with Secure and Path=/ alone.
        let ended = "; Path=/; Max-Age=0; Secure; HttpOnly";
        reply.add("set-cookie", format!("{plain}={ended}; SameSite=Lax"));
        reply.add("set-cookie", format!("{partitioned}={ended}; SameSite=None; Partitioned"));
    }
    reply
}
