//! The websocket, with a client that checks the handshake (tungstenite).

use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Request;
use tungstenite::{HandshakeError, Message};
use vigile_tests::caller::Call;
use vigile_tests::case::Recipe;
use vigile_tests::envoy::Binary;
use vigile_tests::keys::RING;
use vigile_tests::service::Service;

use super::stage::{ACCESS, ASSISTANT, access, recipe, token};

/// What a client was told: the chosen subprotocol, who it is, and what its words became.
type Opened = Result<(Option<String>, Value, Value), u16>;

fn opens(service: &Service, path: &str, headers: &[(&'static str, &str)]) -> Opened {
    let mut request: Request = service.gate.socket(path).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let line = service.gate.line(Ipv4Addr::LOCALHOST);
    let (mut socket, answer) = match tungstenite::client(request, line) {
        Ok(opened) => opened,
        Err(HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
            return Err(answer.status().as_u16());
        }
        Err(error) => panic!("{path} {headers:?}: {error}"),
    };
    let mut read = || serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
    let who = read();
    let chosen = answer.headers().get("sec-websocket-protocol");
    let chosen = chosen.map(|chosen| chosen.to_str().unwrap().to_owned());
    socket.send(Message::text("Bonjour")).unwrap();
    let said = serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
    Ok((chosen, who, said))
}

fn opened(protocol: Option<&str>, who: &str) -> Opened {
    let said = json!({ "response": "You said: Bonjour" });
    Ok((protocol.map(str::to_owned), json!({ "user_id": who }), said))
}

/// By cookie, by `?token=`, among the subprotocols; and who is not let in.
pub(crate) fn all(binary: &Binary, python: &Path) {
    let service = ASSISTANT.start(binary, python);
    let [own, page] = ["HOST", "ORIGIN"].map(|name| ASSISTANT.variable(name));
    let own = format!("https://{own}");
    let good = access("alice");
    let cookie = format!("{ACCESS}={good}");
    let offer = format!("vigile, {good}");
    let in_query = format!("/ws?token={good}");
    let refresh = token("refresh", "alice", &["user"]);
    let past = Recipe { expires: Some("-1m".into()), ..recipe("access", "alice", &["user"]) };
    let past = format!("vigile, {}", RING.mint(&past));
    let (c, o, p) = ("cookie", "origin", "sec-websocket-protocol");

    let by_cookie = |origin: &str| opens(&service, "/ws", &[(c, &cookie), (o, origin)]);
    assert_eq!(by_cookie(&own), opened(None, "alice"));
    assert_eq!(by_cookie(&page), opened(None, "alice"));
    assert_eq!(opens(&service, &in_query, &[]), opened(None, "alice"));
    assert_eq!(opens(&service, &in_query, &[(o, "https://evil.example")]), opened(None, "alice"));
    assert_eq!(opens(&service, "/ws", &[(p, &offer), (o, &page)]), opened(Some("vigile"), "alice"));

    let let_in = service.asked("GET /ws");
    assert_eq!(let_in, 5, "{}", service.app_saw());
    // With a visitor's cookie another site could listen to what is said: it is not let in.
    for origin in [
        "https://evil.example",
        "null",
        &format!("{page}.evil.example"),
        &page.replace("https", "http"),
    ] {
        assert_eq!(by_cookie(origin), Err(403), "{origin}");
    }
    assert_eq!(opens(&service, "/ws", &[(c, &cookie)]), Err(403));
    assert_eq!(opens(&service, "/ws", &[]), Err(401));
    assert_eq!(opens(&service, "/ws", &[(p, "vigile")]), Err(401));
    assert_eq!(opens(&service, "/ws", &[(p, &past), (o, &own)]), Err(401));
    assert_eq!(opens(&service, "/ws", &[(p, &format!("vigile, {refresh}"))]), Err(401));
    assert_eq!(opens(&service, &format!("/ws?token={refresh}"), &[]), Err(401));
    assert_eq!(opens(&service, &format!("{in_query}&token={good}"), &[]), Err(400));
    // No other route becomes a socket, through which anything could be said.
    assert_eq!(opens(&service, &format!("/auth/me?token={good}"), &[]), Err(403));
    assert_eq!(service.asked("GET /ws"), let_in);
    assert_eq!(service.asked("GET /auth/me"), 0);
    // The app is told who it is and sees no token, nor does any log.
    let saw = service.app_saw();
    assert!(saw.contains("x-user-id: alice\r\n") && !saw.contains(&good), "{saw}");
    service.access_log(1, |line| line["path"] == "/auth/me");
    for log in [service.envoy.printed(), service.envoy.logged()] {
        assert!(log.contains("/ws") && !log.contains(&good) && !log.contains(&refresh), "{log}");
    }
    // What is no websocket gets none.
    service.send(&Call::get("/ws").bearer(&good)).says(404, None);
}
