//! The core's part: from a request to its decision, and its line in the log.

use std::time::{SystemTime, UNIX_EPOCH};

use vigile_policy::{Decision, Next, Rest, State, UnixTime, finish, verify};

use crate::arrival::Arrival;
use crate::pipe::Feed;

/// Decides. `None` where a body that the core asked for broke off.
pub(crate) fn decide(state: &State, arrival: &mut Arrival) -> Option<Decision> {
    // An instance sees one request, and what it remembers is lost.
    let mut memory = state.memory([0, 0]);
    let step = state.decide(&arrival.request(), &memory, now());
    let next = verify(step, |question| state.keys().verify(question), &mut memory);
    if let Next::Body(unread) = &next {
        let body = arrival.body.take().map_or(Some(Vec::new()), |feed| feed.read(unread.at_most()));
        arrival.body = Some(Feed::Held(body?));
    }
    // What counts requests is refused at load: no place could be taken.
    let decision = finish(next, Rest { body: arrival.held(), permits: false });
    if decision.record.is_logged() {
        let address = arrival.peer.map(|peer| peer.ip());
        crate::log(&decision.record.line(&arrival.request(), address, now()));
    }
    Some(*decision)
}

fn now() -> UnixTime {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    UnixTime(time.and_then(|time| i64::try_from(time.as_secs()).ok()).unwrap_or(i64::MAX))
}
