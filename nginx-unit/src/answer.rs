//! What goes back: the app's answer, the core's, or why there is none.

use vigile_policy::{Reply, ResponsePlan, apply};
use wasip2::http::types::{Fields, OutgoingResponse, ResponseOutparam};

use crate::Headers;
use crate::pipe::{Feed, Pipe};

const LENGTH: &str = "content-length";

/// Status and words where there is no answer.
#[derive(Clone, Copy)]
pub(crate) struct Failure(u16, &'static str);

pub(crate) const BROKEN_OFF: Failure = Failure(400, "The request ended before its end");
pub(crate) const BAD_GATEWAY: Failure = Failure(502, "The service behind this address fails");
pub(crate) const UNAVAILABLE: Failure = Failure(503, "This service is not set up");
pub(crate) const TIMED_OUT: Failure = Failure(504, "The service does not answer in time");

/// The core's answer.
pub(crate) fn reply(out: ResponseOutparam, reply: &Reply, is_head: bool) {
    let bytes = |(name, value): (&str, &str)| (name.to_owned(), value.as_bytes().to_vec());
    let headers = reply.headers().map(bytes).collect();
    whole(out, reply.status(), headers, &reply.body, is_head);
}

/// None, with the module's headers where a plan has them. `detail` is text, as Gradio and FastAPI have it.
pub(crate) fn failure(
    out: ResponseOutparam,
    why: Failure,
    plan: Option<&ResponsePlan>,
    is_head: bool,
) {
    let Failure(status, words) = why;
    let own = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ];
    let mut headers = own.map(|(name, value)| (name.to_owned(), value.into())).to_vec();
    let edits = plan.map(|plan| plan.edits(&headers)).unwrap_or_default();
    apply(&mut headers, &edits);
    whole(out, status, headers, format!("{{\"detail\":\"{words}\"}}").as_bytes(), is_head);
}

/// To HEAD the length of what GET would be sent.
fn whole(out: ResponseOutparam, status: u16, mut headers: Headers, body: &[u8], is_head: bool) {
    headers.push((LENGTH.to_owned(), body.len().to_string().into_bytes()));
    let feed = || Feed::Held(body.to_vec());
    let Some(mut pipe) = send(out, status, headers, has_content(status, is_head).then(feed)) else {
        return;
    };
    while let Ok(Some(waits)) = pipe.pump() {
        waits.block();
    }
    pipe.finish();
}

/// Whether bytes may follow the head (RFC 9110 §6.4.1). What servers do with some that may not differs.
pub(crate) fn has_content(status: u16, is_head: bool) -> bool {
    !is_head && !matches!(status, 204 | 304)
}

/// Sends the head; what is left is to pump the body, where there is one.
pub(crate) fn send(
    out: ResponseOutparam,
    status: u16,
    mut headers: Headers,
    feed: Option<Feed>,
) -> Option<Pipe> {
    // 204 has no length, 304 may tell what 200 had (RFC 9110 §8.6).
    if status == 204 {
        headers.retain(|(name, _)| name != LENGTH);
    }
    let (answer, pipe) = head(status, &headers, feed).unwrap_or_else(|| {
        // A header that is no answer's, by the policy: an error would have Unit abort.
        let answer = OutgoingResponse::new(Fields::new());
        let _ = answer.set_status_code(502);
        (answer, None)
    });
    ResponseOutparam::set(out, Ok(answer));
    pipe
}

fn head(
    status: u16,
    all: &Headers,
    feed: Option<Feed>,
) -> Option<(OutgoingResponse, Option<Pipe>)> {
    let answer = OutgoingResponse::new(fields(all)?);
    answer.set_status_code(status).ok()?;
    let pipe = match feed {
        Some(feed) => Some(Pipe::new(feed, answer.body().ok()?)?),
        None => None,
    };
    Some((answer, pipe))
}

/// All but the pseudo-headers.
pub(crate) fn fields(headers: &Headers) -> Option<Fields> {
    let real = headers.iter().filter(|(name, _)| !name.starts_with(':'));
    Fields::from_list(&real.cloned().collect::<Vec<_>>()).ok()
}
