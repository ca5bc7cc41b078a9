//! What a limit of Envoy's does to a caller, and what it says.

use std::time::Instant;

use serde_json::json;

use crate::caller::{Answer, Call};
use crate::service::Service;

/// A limit as a document states it.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// How many calls.
    pub calls: u32,
    /// In how many seconds. The bucket fills evenly: one call more each `seconds / calls`.
    pub seconds: u32,
}

impl Limit {
    /// The seconds from one token to the next.
    pub const fn every(self) -> u32 {
        self.seconds / self.calls
    }

    /// Calls until the limit refuses, and gives the answers before that. As many as the document says get
    /// through; on a slow machine those too whose token came meanwhile.
    #[track_caller]
    pub fn exhaust(self, service: &Service, call: &Call) -> Vec<Answer> {
        let (started, mut passed) = (Instant::now(), Vec::new());
        loop {
            let answer = service.send(call);
            if answer.status == 429 {
                self.refused(&answer);
                break;
            }
            let left = self.calls.saturating_sub(1 + passed.len() as u32);
            answer.has(&[("x-ratelimit-limit", &self.calls.to_string())]);
            let remaining: u32 = answer.header("x-ratelimit-remaining").unwrap().parse().unwrap();
            assert!(remaining >= left, "{answer:?}");
            passed.push(answer);
            assert!(passed.len() < 10 * self.calls as usize, "there is no limit");
        }
        let most = u64::from(self.calls) + started.elapsed().as_secs() / u64::from(self.every());
        let range = u64::from(self.calls)..=most;
        assert!(range.contains(&(passed.len() as u64)), "{} passed, not {range:?}", passed.len());
        passed
    }

    /// Asserts that a caller has no call left; where a token came meanwhile, it is used up first.
    #[track_caller]
    pub fn holds(self, service: &Service, call: &Call) {
        let answer = service.send(call);
        match answer.status {
            429 => self.refused(&answer),
            _ => self.refused(&service.send(call)),
        }
    }

    /// Asserts the whole refusal.
    #[track_caller]
    pub fn refused(self, answer: &Answer) {
        let every = self.every().to_string();
        assert_eq!(answer.status, 429, "{answer:?}");
        assert_eq!(
            answer.json(),
            json!({ "detail": {
                "error": "Too many requests",
                "message": format!("Try again in {every} seconds"),
            } })
        );
        answer.has(&[
            ("content-type", "application/json"),
            ("retry-after", &every),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-ratelimit-limit", &self.calls.to_string()),
            ("x-ratelimit-remaining", "0"),
            ("vigile-reason", ""),
            ("server", ""),
        ]);
        // Nobody who waits as long as Retry-After says waits too short.
        let reset: u32 = answer.header("x-ratelimit-reset").unwrap().parse().unwrap();
        assert!(reset <= self.every(), "{answer:?}");
    }
}
