//! Listeners: who reaches them.

use super::Node;

/// Tells whether a message is a listener, by the fields that nothing else has.
pub fn is_listener(node: &Node<'_>) -> bool {
    let marks = ["filter_chains", "default_filter_chain", "api_listener", "listener_filters"];
    marks.iter().any(|name| node.field(name).is_some())
}

/// The name of a listener that other parts of the same Envoy alone reach, by `envoy_internal_address`.
pub fn internal_name<'y>(listener: &Node<'y>) -> Option<&'y str> {
    listener.field("internal_listener").and_then(|_| listener.word("name"))
}

/// Tells whether only this machine can reach a listener: a loopback address, a Unix socket, or another listener
/// of the same Envoy.
pub fn is_local(listener: &Node<'_>) -> bool {
    if listener.field("internal_listener").is_some() {
        return true;
    }
    let more = listener.list("additional_addresses");
    let mut all = more.iter().chain([listener]).filter_map(|node| node.field("address"));
    all.all(|address| is_local_address(&address)) && listener.field("address").is_some()
}

/// Tells whether an address is one that only this machine can reach.
pub fn is_local_address(address: &Node<'_>) -> bool {
    let local = |word: &str| {
        word.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    };
    match address.at(&["socket_address", "address"]) {
        Some(address) => address.text().is_some_and(local),
        None => ["pipe", "envoy_internal_address"].iter().any(|kind| address.field(kind).is_some()),
    }
}
