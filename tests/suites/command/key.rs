//! `vigile key`: strong, new each time, and what the policy accepts.

use super::{file, vigile, vigile_reading};

#[test]
fn a_key_is_new_and_strong() {
    let one = vigile(&["key", "--prefix", "nuno_service_"], &[]).ends_with(0);
    let other = vigile(&["key", "--prefix", "nuno_service_"], &[]).fine();
    assert_ne!(one.stdout, other);
    // As 001_d9637b39f961e8b1.txt makes them: secrets.token_urlsafe(40) has 54 characters.
    let random = one.stdout.trim().strip_prefix("nuno_service_").unwrap();
    assert_eq!(random.len(), 54);
    assert!(random.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    assert_eq!(one.stdout.lines().count(), 1, "a pipe gets the key and nothing else");
    assert_eq!(vigile(&["key", "--bytes", "48"], &[]).fine().trim().len(), 64);
}

#[test]
fn its_sha256_stands_in_for_it() {
    let made = vigile(&["key"], &[]).ends_with(0);
    let key = made.stdout.trim();
    let digest = made.stderr.trim().strip_prefix("sha256: ").unwrap();
    for input in [key.to_owned(), format!("{key}\n"), format!("{key}\r\n")] {
        let again = vigile_reading(&["key", "--sha256"], &[], input.as_bytes()).fine();
        assert_eq!(again.trim(), digest);
    }
    let policy = format!(
        "vigile: 1\napi_keys: [{{ name: robot, sha256: {digest} }}]\nmodules: [{{ name: m, routes: [{{ path: /**, api_key: [robot] }}] }}]\n"
    );
    let (_folder, path) = file("policy.yaml", &policy);
    vigile(&["check", &path], &[]).ends_with(0);
    let call = |key: &str| {
        vigile(
            &["explain", &path, "--get", "/", "--header", &format!("authorization: Bearer {key}")],
            &[],
        )
    };
    call(key).ends_with(0).says("allowed.api_key");
    call(&format!("{key}x")).ends_with(3).says("api_key.invalid");
    vigile_reading(&["key", "--sha256"], &[], b"").ends_with(1);
    vigile_reading(&["key", "--sha256"], &[], b"\n").ends_with(1);
    vigile_reading(&["key", "--sha256"], &[], b"\xff").ends_with(1);
}
