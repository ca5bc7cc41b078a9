//! Access and refresh tokens, their cookies, withdrawn tokens, and callers without any.

use std::path::Path;

use serde_json::{Value, json};
use vigile_tests::caller::Call;
use vigile_tests::case::Recipe;
use vigile_tests::keys::RING;

use super::stage::{
    ACCESS, ASSISTANT, CHAT, PASSWORD, REFRESH, access, client, login, recipe, say, token,
};

const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

fn own(call: Call) -> Call {
    call.with(OWN.0, OWN.1)
}

/// Login, chat, refresh, as a page does it; the app is told who it is and sees no token of it.
pub(crate) fn by_cookie(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let answer = service.send(&login("superuser", PASSWORD));
    assert_eq!(
        answer.json(),
        json!({ "user_id": "superuser", "roles": ["superuser"], "expires_in": 1800 })
    );
    for (name, seconds) in [(ACCESS, 1800), (REFRESH, 604_800)] {
        let set = answer.all("set-cookie").find(|cookie| cookie.starts_with(name)).unwrap();
        for attribute in
            ["HttpOnly", "Secure", "Path=/", "SameSite=lax", &format!("Max-Age={seconds}")]
        {
            assert!(set.split("; ").any(|part| part == attribute), "{attribute}: {set}");
        }
    }
    let first = [ACCESS, REFRESH].map(|name| answer.cookie(name).unwrap());
    // What a browser sends: both cookies, everywhere.
    let both = |[access, refresh]: &[String; 2]| {
        format!("{ACCESS}={access}; {REFRESH}={refresh}; theme=dark")
    };
    let said = service.send(&own(say()).with("cookie", &both(&first)));
    assert_eq!((said.status, &said.json()["user_id"]), (200, &json!("superuser")), "{said:?}");
    let renewed =
        service.send(&own(Call::new("POST", "/auth/refresh")).with("cookie", &both(&first)));
    assert_eq!(renewed.status, 200, "{renewed:?}");
    let second = [ACCESS, REFRESH].map(|name| renewed.cookie(name).unwrap());
    assert!(first[0] != second[0] && first[1] != second[1]);
    let said = service.send(&own(say()).with("cookie", &both(&second)));
    assert_eq!(said.status, 200, "{said:?}");
    let saw = service.app_saw();
    assert!(
        saw.contains("x-user-id: superuser\r\n") && saw.contains("x-user-roles: superuser\r\n"),
        "{saw}"
    );
    assert!(saw.contains("cookie: ") && saw.contains("theme=dark"), "{saw}");
    for cookie in first.iter().chain(&second) {
        assert!(!saw.contains(cookie.as_str()), "the app saw a token: {saw}");
    }
}

/// The other way to log in: a form, answered by a token for the header.
pub(crate) fn by_header(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let form = Call::new("POST", "/auth/jwt/login")
        .with("content-type", "application/x-www-form-urlencoded")
        .body(format!("username=superuser&password={PASSWORD}"));
    let answer = service.send(&form);
    let said = answer.json();
    assert_eq!((answer.status, &said["token_type"]), (200, &json!("bearer")), "{answer:?}");
    assert_eq!(answer.header("set-cookie"), None);
    let token = said["access_token"].as_str().unwrap();
    let said = service.send(&say().bearer(token));
    assert_eq!((said.status, &said.json()["user_id"]), (200, &json!("superuser")), "{said:?}");
    assert!(!service.app_saw().contains(token));
}

/// Logout takes both cookies back, for the assistant's pages and for no other site's.
pub(crate) fn logout(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let cookie = format!("{ACCESS}={}", access("alice"));
    let out = || Call::new("POST", "/auth/logout").with("cookie", &cookie);
    let page = ASSISTANT.variable("ORIGIN");
    for call in [own(out()), out().origin(&page), own(Call::new("POST", "/auth/logout"))] {
        let answer = service.send(&call);
        answer.says(204, Some("logout.done"));
        answer.has(&[("clear-site-data", "\"cache\", \"storage\""), ("cache-control", "no-store")]);
        for name in [ACCESS, REFRESH] {
            let taken = format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
            assert!(answer.all("set-cookie").any(|set| set == taken), "{taken}: {answer:?}");
        }
    }
    service.send(&out().origin(&page)).has(&[("access-control-allow-origin", &page)]);
    for stranger in ["https://evil.example", "null"] {
        let answer = service.send(&out().origin(stranger));
        answer.says(403, Some("origin.foreign"));
        assert_eq!(answer.header("set-cookie"), None, "{answer:?}");
    }
    service.send(&Call::get("/auth/logout")).says(405, Some("method.not_allowed"));
    assert_eq!(service.requests(), 0);
}

/// Each kind of token opens its own routes; neither can be made to live longer than its kind.
pub(crate) fn kinds(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let (short, long) = (access("alice"), token("refresh", "alice", &["user"]));
    let as_other = |kind: &str, expires: &str| {
        RING.mint(&Recipe { expires: Some(expires.into()), ..recipe(kind, "alice", &["user"]) })
    };
    let refresh = || Call::new("POST", "/auth/refresh");
    for (reason, status, call) in [
        // The refresh token in the place of the access token.
        ("token.lifetime", 401, own(say()).cookie(ACCESS, &long)),
        ("token.lifetime", 401, say().bearer(&long)),
        ("token.lifetime", 401, Call::get("/auth/me").bearer(&long)),
        (
            "token.lifetime",
            401,
            Call::get("/admin/users").bearer(&token("refresh", "alice", &["admin"])),
        ),
        ("token.missing", 401, own(say()).cookie(REFRESH, &long)),
        // However short it were.
        ("token.claims", 403, say().bearer(&as_other("refresh", "10m"))),
        // The access token in the place of the refresh token.
        ("token.claims", 403, own(refresh()).cookie(REFRESH, &short)),
        ("token.claims", 403, refresh().bearer(&short)),
        ("token.missing", 401, own(refresh()).cookie(ACCESS, &short)),
        // Longer than either may live.
        ("token.lifetime", 401, say().bearer(&as_other("access", "31m"))),
        ("token.lifetime", 401, own(refresh()).cookie(REFRESH, &as_other("refresh", "169h"))),
        // Of another page, another service, another time.
        ("origin.missing", 403, refresh().cookie(REFRESH, &long)),
        ("token.expired", 401, say().bearer(&as_other("access", "-1m"))),
        (
            "token.module",
            403,
            say().bearer(&RING.mint(&Recipe {
                module: Some("orchestrator".into()),
                ..recipe("access", "alice", &[])
            })),
        ),
        (
            "token.signature",
            401,
            say().bearer(&RING.mint(&Recipe {
                key: Some("orchestrator".into()),
                ..recipe("access", "alice", &[])
            })),
        ),
    ] {
        service.send(&call).says(status, Some(reason));
    }
    assert_eq!(service.requests(), 0);
}

/// A token that is withdrawn ends at once; the others go on.
pub(crate) fn withdrawn(python: &Path) {
    let service = ASSISTANT.start_changed(python, |sample| {
        let lifetime = "max_lifetime: 30m\n";
        let revoked =
            format!("{lifetime}{}revoked: {{ jti: [access-of-mallory] }}\n", " ".repeat(32));
        sample.with(lifetime, &revoked)
    });
    service.send(&say().bearer(&access("mallory"))).says(401, Some("token.revoked"));
    service.send(&say().bearer(&access("alice"))).says(200, None);
}

/// Where the token is optional, nobody is somebody to be served, and a bad token is refused.
pub(crate) fn without_a_token(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let me = || Call::get("/auth/me");
    let is = |call: Call, who: Value| {
        let answer = service.send(&call);
        assert_eq!((answer.status, &answer.json()["user_id"]), (200, &who), "{answer:?}");
    };
    is(me(), Value::Null);
    is(me().with("x-user-id", "superuser").with("X-User-Roles", "superuser"), Value::Null);
    is(me().bearer(&access("alice")), json!("alice"));
    is(own(me()).cookie(ACCESS, &access("alice")), json!("alice"));
    let expired =
        RING.mint(&Recipe { expires: Some("-1m".into()), ..recipe("access", "alice", &[]) });
    service.send(&me().bearer(&expired)).says(401, Some("token.expired"));
    assert!(!service.app_saw().contains("x-user-id: superuser"), "{}", service.app_saw());
}

/// What README.md says of development: `/chat` for anybody, and who is anonymous has the limit by address.
pub(crate) fn development(python: &Path) {
    let service = ASSISTANT.start_changed(python, |sample| {
        let route = |token: &str| {
            let space = " ".repeat(36);
            format!("- path: /chat\n{space}methods: [POST]\n{space}token: {{ issuer: access, {token} }}\n")
        };
        let one_at_a_time = format!("{}concurrency: 1\n", " ".repeat(36));
        let sample = sample.with(&route("claims: { type: access }"), &route("optional: true"));
        sample.with(&one_at_a_time, "")
    });
    let passed = CHAT.exhaust(&service, &say().from(client(1)));
    assert!(passed.iter().all(|answer| answer.json()["user_id"].is_null()), "{passed:?}");
    CHAT.holds(&service, &say().from(client(1)).with("x-user-id", "somebody"));
    assert_eq!(service.send(&say().from(client(2))).status, 200);
    // Somebody with a name of her own has her own ten there.
    CHAT.exhaust(&service, &say().bearer(&access("alice")).from(client(1)));
}
