//! The call at the app and its answer to the client: both bodies at once, and neither of them whole.

use vigile_policy::{ResponsePlan, apply};
use wasip2::clocks::monotonic_clock;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, IncomingResponse, OutgoingRequest, RequestOptions, ResponseOutparam,
};
use wasip2::io::poll::{Pollable, poll};

use crate::answer::{self, BAD_GATEWAY, Failure, TIMED_OUT};
use crate::arrival::Arrival;
use crate::load::Gate;
use crate::pipe::{Feed, Pipe, Stalled};

/// How long a connection may take.
const CONNECT: u64 = 5_000_000_000;

/// How much longer than `VIGILE_TIMEOUT` an answer that broke off is kept open. Unit ends it by `limits.timeout`
/// meanwhile, where that is less.
const KEPT: u64 = 60_000_000_000;

/// Calls the app, and passes its answer on.
pub(crate) fn exchange(arrival: Arrival, gate: &Gate, plan: &ResponsePlan, out: ResponseOutparam) {
    let is_head = arrival.is_head();
    let (response, upload) = match call(arrival, gate) {
        // Nobody asked for another protocol.
        Ok((response, _)) if response.status() < 200 => {
            return answer::failure(out, BAD_GATEWAY, Some(plan), is_head);
        }
        Ok(answered) => answered,
        Err(failure) => return answer::failure(out, failure, Some(plan), is_head),
    };
    let status = response.status();
    let mut headers = vec![(":status".to_owned(), status.to_string().into_bytes())];
    headers.extend(response.headers().entries());
    let edits = plan.edits(&headers);
    apply(&mut headers, &edits);
    let feed = Feed::of_response(&response).filter(|_| answer::has_content(status, is_head));
    if let Some(download) = answer::send(out, status, headers, feed)
        && let Err(stalled) = pump(upload, download, gate.longest)
    {
        drop(response);
        break_off(stalled, gate);
    }
}

/// Ends an answer of which there should be more. An error would have Unit's module abort its process, with
/// every request in it, so the body is left without an end. When this returns, Unit takes that for the end of a
/// whole one: it ends the chunks, and of a length that was said it lets the next bytes of the connection, its own
/// 408, be the rest. So this waits until Unit has cut the client off. A proxy of Unit in front, which two hops
/// have, counts by itself, and takes chunks for whole in any case.
fn break_off(stalled: Stalled, gate: &Gate) {
    crate::log("upstream: the answer broke off");
    if !gate.address_in_path {
        monotonic_clock::subscribe_duration(gate.timeout.saturating_add(KEPT)).block();
    }
    stalled.leave();
}

/// The app's answer, and what is left of the body on its way there.
fn call(arrival: Arrival, gate: &Gate) -> Result<(IncomingResponse, Option<Pipe>), Failure> {
    let (request, mut upload) = request(arrival, gate).ok_or(BAD_GATEWAY)?;
    let options = options(gate.timeout).map_err(|()| BAD_GATEWAY)?;
    let answer = outgoing_handler::handle(request, Some(options)).map_err(|code| failed(&code))?;
    let answered = answer.subscribe();
    loop {
        let waits = step(&mut upload);
        match answer.get() {
            Some(Ok(Ok(response))) => return Ok((response, upload)),
            Some(Ok(Err(code))) => return Err(failed(&code)),
            Some(Err(())) => return Err(BAD_GATEWAY),
            None => wait(&[Some(&answered), waits.as_ref()]),
        }
    }
}

fn request(arrival: Arrival, gate: &Gate) -> Option<(OutgoingRequest, Option<Pipe>)> {
    let Arrival { headers, method, body, .. } = arrival;
    let (_, path) = headers.iter().find(|(name, _)| name == ":path")?;
    let (scheme, authority) = &gate.upstream;
    let request = OutgoingRequest::new(answer::fields(&headers)?);
    request.set_method(&method).ok()?;
    request.set_scheme(Some(scheme)).ok()?;
    request.set_authority(Some(authority)).ok()?;
    request.set_path_with_query(Some(std::str::from_utf8(path).ok()?)).ok()?;
    let upload = match body {
        Some(feed) => Some(Pipe::new(feed, request.body().ok()?)?),
        None => None,
    };
    Some((request, upload))
}

fn options(timeout: u64) -> Result<RequestOptions, ()> {
    let options = RequestOptions::new();
    options.set_connect_timeout(Some(CONNECT.min(timeout)))?;
    options.set_first_byte_timeout(Some(timeout))?;
    options.set_between_bytes_timeout(Some(timeout))?;
    Ok(options)
}

/// Until the answer has ended. What the app has not read of the request then is dropped. An error where the
/// app broke off, or the answer has lasted for `longest`: nobody tells a component that its client has left.
fn pump(mut upload: Option<Pipe>, mut download: Pipe, longest: Option<u64>) -> Result<(), Stalled> {
    let last = longest.map(monotonic_clock::subscribe_duration);
    loop {
        let up = step(&mut upload);
        match download.pump() {
            Ok(Some(down)) => wait(&[up.as_ref(), Some(&down), last.as_ref()]),
            Ok(None) => {
                download.finish();
                return Ok(());
            }
            Err(_) => return Err(download.stall()),
        }
        if last.as_ref().is_some_and(Pollable::ready) {
            return Err(download.stall());
        }
    }
}

/// Moves the request's body on. What it waits for, while there is more of it.
fn step(upload: &mut Option<Pipe>) -> Option<Pollable> {
    let moved = upload.as_mut()?.pump();
    match moved {
        Ok(Some(waits)) => return Some(waits),
        Ok(None) => upload.take().map(Pipe::finish),
        Err(_) => upload.take().map(drop),
    };
    None
}

fn wait(all: &[Option<&Pollable>]) {
    poll(&all.iter().flatten().copied().collect::<Vec<_>>());
}

fn failed(code: &ErrorCode) -> Failure {
    crate::log(&format!("upstream: {code}"));
    match code {
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::DnsTimeout
        | ErrorCode::HttpResponseTimeout => TIMED_OUT,
        _ => BAD_GATEWAY,
    }
}
