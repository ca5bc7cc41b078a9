//! One answer at a time for each caller: the model's machine has room for few.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use vigile_tests::envoy;
use vigile_tests::service::Service;

use super::stage::{ASSISTANT, access, chat};

/// Waits until the app was asked so often.
fn until_asked(service: &Service, times: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while service.asked("POST /chat") < times {
        assert!(Instant::now() < deadline, "the app was not asked: {}", service.app_saw());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// While one is being answered, a second of the same caller is refused and one of another is not; after the
/// first, however it ended, there is room again.
pub(crate) fn one_answer(python: &Path) {
    let slow = [("SECONDS_PER_ANSWER", "3")];
    let service = ASSISTANT.start_with(&envoy::newest(), python, &slow, |sample| sample);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| service.send(&chat("alice")));
        until_asked(&service, 1);
        for _ in 0..3 {
            let second = service.send(&chat("alice"));
            second.says(429, Some("concurrency.full"));
            second.has(&[("retry-after", "1")]);
        }
        let other = scope.spawn(|| service.send(&chat("bob")));
        first.join().unwrap().says(200, None);
        other.join().unwrap().says(200, None);
    });
    assert_eq!(service.asked("POST /chat"), 2);
    // Whoever leaves in the middle leaves his place.
    let mut line = service.gate.line(std::net::Ipv4Addr::LOCALHOST);
    let body = "{\"message\":\"x\"}";
    let head = format!(
        "POST /chat HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        ASSISTANT.variable("HOST"),
        access("alice"),
        body.len()
    );
    line.write_all(head.as_bytes()).unwrap();
    line.flush().unwrap();
    until_asked(&service, 3);
    service.send(&chat("alice")).says(429, Some("concurrency.full"));
    drop(line);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = service.send(&chat("alice"));
        if answer.status == 200 {
            break;
        }
        answer.says(429, Some("concurrency.full"));
        assert!(Instant::now() < deadline, "a place is stuck");
        std::thread::sleep(Duration::from_millis(50));
    }
}
