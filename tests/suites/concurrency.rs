//! `concurrency` in a real Envoy with several workers, before an app that counts what it has at once.
//!
//! A module does not break down by itself: for the restart a second one is built of the same crate, with the
//! feature `crash`, which a header brings down. Everything else runs in the module that is released.

mod concurrency {
    pub(crate) mod gpu;
    pub(crate) mod stage;
}

use std::time::Duration;

use concurrency::gpu::Work;
use concurrency::stage::{Asked, Stage, eventually};
use libtest_mimic::{Arguments, Failed, Trial};
use vigile_tests::breaking;
use vigile_tests::envoy::{self, Binary};

type Test = fn(&Binary) -> Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let tests: [(&str, Test); 7] = [
        ("fifty clients of one subject", fifty_clients),
        ("fifty clients, some of whom leave, and an app that fails", fifty_of_every_kind),
        ("every end gives the place back", every_end_gives_the_place_back),
        ("bodies that are begun and not ended", unfinished_bodies),
        ("a policy that changes keeps the count", a_policy_that_changes),
        ("a place of a module that broke down is free again", a_place_of_a_broken_module),
        ("fifty clients, and a module that breaks down", fifty_and_a_crash),
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

/// All of them are served, one after another, whichever worker they come to.
fn fifty_clients(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary, &envoy::module(), 4);
    let refused = stage.served(&vec![Work::Takes(20); 50])?;
    stage.never_two()?;
    if refused == 0 {
        return Err("nobody was ever refused: they did not meet".into());
    }
    let workers = stage.workers_that_served();
    if workers < 2 {
        return Err("one worker had them all".into());
    }
    println!("{}: 50 served by {workers} workers, {refused} times 429", binary.version);
    Ok(stage.is_free()?)
}

/// Clients who leave in the middle, answers that break off, and a route that times out, among others who
/// are patient.
fn fifty_of_every_kind(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary, &envoy::module(), 4);
    let kinds =
        [Work::Takes(20), Work::IsLeft(20), Work::BreaksOff(20), Work::TimesOut, Work::Takes(5)];
    let work: Vec<Work> = kinds.iter().cycle().take(50).copied().collect();
    stage.served(&work)?;
    stage.never_two()?;
    Ok(stage.is_free()?)
}

fn every_end_gives_the_place_back(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary, &envoy::module(), 1);
    for work in
        [Work::Takes(1), Work::IsLeft(200), Work::BreaksOff(1), Work::TimesOut, Work::Refused]
    {
        stage.served(&[work])?;
        stage.is_free().map_err(|problem| format!("behind {work:?}: {problem}"))?;
    }
    // A caller who waits for 100 ms sees that the place was taken: the test could fail.
    let waits = stage.begin(Work::Takes(60_000));
    match stage.ask(Work::Takes(1)) {
        Asked::Full => {}
        asked => return Err(format!("beside one under way: {asked:?}").into()),
    }
    drop(waits);
    Ok(stage.is_free()?)
}

/// What waits to be looked at is held by Envoy, and takes a place: one caller cannot fill Envoy with beginnings.
fn unfinished_bodies(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary, &envoy::module(), 2);
    let mut begun: Vec<_> = (0..100).map(|_| stage.begin_a_body()).collect();
    let mut waiting = Vec::new();
    for mut stream in begun.drain(..) {
        match Stage::answered(&mut stream, Duration::from_millis(200)) {
            Some(429) => {}
            None => waiting.push(stream),
            Some(status) => return Err(format!("a beginning got {status}").into()),
        }
    }
    let [one] = &mut waiting[..] else {
        return Err(format!("{} bodies are held at once", waiting.len()).into());
    };
    match Stage::end_a_body(one) {
        200 => {}
        status => return Err(format!("the one that was held got {status}").into()),
    }
    // Who goes on for ever is cut by Envoy, and who leaves is gone: the place is free behind both.
    let mut slow = stage.begin_a_body();
    match Stage::answered(&mut slow, Duration::from_secs(30)) {
        Some(408) => {}
        status => return Err(format!("a slow sender got {status:?}").into()),
    }
    drop(stage.begin_a_body());
    eventually("the place is free", || Stage::end_a_body(&mut stage.begin_a_body()) == 200)?;
    Ok(())
}

/// The GPU does not know that the policy is another one.
fn a_policy_that_changes(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary, &envoy::module(), 1);
    let waits = stage.begin(Work::Takes(60_000));
    match stage.ask_the_other_listener(Work::Takes(1)) {
        Asked::Full => {}
        asked => return Err(format!("by another policy: {asked:?}").into()),
    }
    drop(waits);
    eventually("the other policy lets in", || {
        matches!(stage.ask_the_other_listener(Work::Takes(1)), Asked::Served)
    })?;
    Ok(())
}

/// The new VM is no heir: the lease ends when nobody renews it. Until then the place is taken, since the app
/// may still be at work.
fn a_place_of_a_broken_module(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary, &breaking::module(), 1);
    let waits = stage.begin(Work::Takes(60_000));
    stage.crash()?;
    eventually("the new module finds the place taken", || {
        matches!(stage.ask(Work::Takes(1)), Asked::Full)
    })?;
    eventually("the place is free", || matches!(stage.ask(Work::Takes(1)), Asked::Served))?;
    drop(waits);
    Ok(())
}

fn fifty_and_a_crash(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary, &breaking::module(), 2);
    let mut work = vec![Work::Takes(20); 49];
    work.insert(20, Work::Crash);
    stage.served(&work)?;
    stage.never_two()?;
    Ok(stage.is_free()?)
}
