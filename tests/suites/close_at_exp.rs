//! `close_at_exp` in a real Envoy: streams that end with the token that let them in, and others that go on.

mod close_at_exp {
    pub(crate) mod app;
    pub(crate) mod stage;
}

use std::time::{Duration, Instant};

use close_at_exp::stage::{Stage, eventually, key, token};
use libtest_mimic::{Arguments, Failed, Trial};
use vigile_tests::envoy::{self, Binary};

type Test = fn(&Binary) -> Result<(), Failed>;

/// How long a stream may live beyond its end: the timer comes every second, and machines are busy.
const LATE: Duration = Duration::from_secs(4);

fn main() {
    let arguments = Arguments::from_args();
    let tests: [(&str, Test); 12] = [
        ("an event stream ends, another goes on", event_streams),
        ("a websocket ends", websockets),
        ("a request that waits for its answer is told", a_request_that_waits),
        ("a stream of HTTP/2 ends alone", http2),
        ("a newer session does not prolong a stream", a_newer_session),
        ("an API key ends streams as well", api_keys),
        ("where it is observed a stream goes on", observed),
        ("behind another policy a stream still ends", behind_another_policy),
        ("a body that comes late", a_body_that_comes_late),
        ("who has left is not ended again", who_has_left),
        ("many end in one second", many_at_once),
        ("behind a module that broke down", behind_a_broken_module),
    ];
    let mut trials = Vec::new();
    for binary in envoy::binaries() {
        trials.extend(tests.map(|(name, test)| {
            let (binary, name) = (binary.clone(), format!("{}/{name}", binary.version));
            Trial::test(name, move || test(&binary))
        }));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// At its end, and not before.
fn in_time(end: Instant, ended: Instant) -> Result<(), String> {
    match (ended.checked_duration_since(end), end.checked_duration_since(ended)) {
        (Some(late), _) if late > LATE => Err(format!("it ended {late:?} late")),
        // A token ends with a whole second.
        (_, Some(early)) if early > Duration::from_secs(1) => Err(format!("{early:?} early")),
        _ => Ok(()),
    }
}

fn event_streams(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary);
    let (short, end) = token("3s");
    let (long, _) = token("10m");
    let mut goes_on = stage.open("/events", &long)?;
    let mut elsewhere = stage.open("/elsewhere", &short)?;
    let mut ends = stage.open("/events", &short)?;
    in_time(end, ends.until_it_ends()?)?;
    goes_on.ticks(3)?;
    // A route that does not say so lets a stream outlive its token.
    elsewhere.ticks(3)?;
    stage.tells("stream.expired", "refused", 1)?;
    eventually("the app is told that its reader is gone", || stage.app.left() == 1)?;
    Ok(stage.is_sound()?)
}

fn websockets(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary);
    let ((short, end), (long, _)) = (token("3s"), token("10m"));
    let mut goes_on = stage.socket(&long)?;
    let mut ends = stage.socket(&short)?;
    goes_on.echoes("one")?;
    ends.echoes("two")?;
    in_time(end, ends.until_it_ends()?)?;
    goes_on.echoes("three")?;
    stage.tells("stream.expired", "refused", 1)?;
    eventually("the app is told that the socket is gone", || stage.app.left() == 1)?;
    Ok(stage.is_sound()?)
}

fn a_request_that_waits(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary);
    let (short, end) = token("3s");
    let answer = stage.ask("/never", &short)?;
    in_time(end, Instant::now())?;
    let header = |name: &str| {
        let found = answer.headers.iter().filter(|(known, _)| known == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>()
    };
    if (answer.status, header("vigile-reason")) != (401, vec!["stream.expired".to_owned()]) {
        return Err(format!("{} {:?}", answer.status, answer.headers).into());
    }
    // The answer is Vigile's own, with the module's headers once each.
    if header("cache-control") != ["no-store"] || header("x-frame-options") != ["DENY"] {
        return Err(format!("{:?}", answer.headers).into());
    }
    stage.tells("stream.expired", "refused", 1)?;
    Ok(stage.is_sound()?)
}

fn http2(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary);
    let ((short, end), (long, _)) = (token("3s"), token("10m"));
    let ended = stage.two_streams_of_one_connection("/events", &short, &long)?;
    in_time(end, ended)?;
    stage.tells("stream.expired", "refused", 1)?;
    Ok(stage.is_sound()?)
}

fn a_newer_session(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary);
    let ((old, end), (new, _)) = (token("3s"), token("10m"));
    let mut ends = stage.open("/events", &old)?;
    let answer = stage.ask("/quick", &new)?;
    if answer.status != 200 {
        return Err(format!("the newer token got {}", answer.status).into());
    }
    in_time(end, ends.until_it_ends()?)?;
    let mut again = stage.open("/events", &new)?;
    again.ticks(3)?;
    Ok(stage.is_sound()?)
}

fn api_keys(binary: &Binary) -> Result<(), Failed> {
    let end = Instant::now() + Duration::from_secs(8);
    let stage = Stage::with_a_key_until(binary, end);
    let mut ends = stage.open("/by-key", &key())?;
    in_time(end, ends.until_it_ends()?)?;
    stage.tells("stream.expired", "refused", 1)?;
    Ok(stage.is_sound()?)
}

fn observed(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary);
    let (short, _) = token("3s");
    let mut goes_on = stage.open("/watched", &short)?;
    stage.tells("stream.expired", "observed", 1)?;
    goes_on.ticks(3)?;
    Ok(stage.is_sound()?)
}

/// The old listener is drained, and its streams live on: their own policy ends them.
fn behind_another_policy(binary: &Binary) -> Result<(), Failed> {
    let mut stage = Stage::start(binary);
    let (short, end) = token("6s");
    let mut ends = stage.open("/events", &short)?;
    stage.replace()?;
    ends.ticks(3)?;
    in_time(end, ends.until_it_ends()?)?;
    stage.tells("stream.expired", "refused", 1)?;
    Ok(stage.is_sound()?)
}

/// Its token ends while the body is held: what is let in then ends at once.
fn a_body_that_comes_late(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary);
    let (short, end) = token("3s");
    let mut slow = stage.begin_a_body(&short)?;
    std::thread::sleep(end.saturating_duration_since(Instant::now()) + Duration::from_secs(1));
    slow.rest_of_the_body()?;
    let answer = slow.answer()?;
    match answer.status {
        401 => Ok(stage.is_sound()?),
        status => Err(format!("it got {status}").into()),
    }
}

/// A stream that is over is forgotten: nothing is told of it later, and nothing fails.
fn who_has_left(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary);
    let (short, end) = token("9s");
    for _ in 0..10 {
        stage.open("/events", &short)?;
        if stage.ask("/quick", &short)?.status != 200 {
            return Err("a quick request was not served".into());
        }
    }
    eventually("the app has no reader left", || stage.app.left() == 10)?;
    std::thread::sleep(end.saturating_duration_since(Instant::now()) + Duration::from_secs(3));
    let log = stage.log();
    if log.contains("stream.expired") || log.contains("refused to end") {
        return Err(log.into());
    }
    Ok(stage.is_sound()?)
}

fn many_at_once(binary: &Binary) -> Result<(), Failed> {
    const MANY: usize = 300;
    let stage = Stage::start(binary);
    let ((short, end), (long, _)) = (token("12s"), token("10m"));
    let mut goes_on = stage.open("/events", &long)?;
    let begun = Instant::now();
    let mut all = stage.open_many("/events", &short, MANY)?;
    println!("{}: {MANY} streams opened in {:?}", binary.version, begun.elapsed());
    for one in &mut all {
        in_time(end, one.until_it_ends()?)?;
    }
    goes_on.ticks(3)?;
    stage.tells("stream.expired", "refused", MANY)?;
    Ok(stage.is_sound()?)
}

/// What a module knew of its streams is lost with it, and Envoy ends them at once: none outlives its token.
fn behind_a_broken_module(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::that_breaks(binary);
    let ((short, end), (long, _)) = (token("30s"), token("10m"));
    let mut open = stage.open("/events", &short)?;
    stage.crash(&long)?;
    let ended = open.until_it_ends()?;
    match end.checked_duration_since(ended) {
        Some(_) => Ok(()),
        None => Err("it went on until its end".into()),
    }
}
