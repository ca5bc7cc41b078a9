//! The host calls that are used, as bytes and without the SDK's wrappers that panic on an `Err`.

use std::net::SocketAddr;
use std::time::UNIX_EPOCH;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};
use vigile_policy::{Edit, UnixTime};

/// Headers as the core takes them.
pub(crate) type Headers = Vec<(String, Vec<u8>)>;

/// Everything that Envoy was given as the plugin's configuration.
pub(crate) fn configuration() -> Vec<u8> {
    let bytes = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    bytes.ok().flatten().unwrap_or_default()
}

/// All headers of the request or of the response, in one call: two single reads already cost more.
pub(crate) fn headers(map: MapType) -> Option<Headers> {
    hostcalls::get_map_bytes(map).ok()
}

/// Whether a header is there.
pub(crate) fn has(map: MapType, name: &str) -> bool {
    !matches!(hostcalls::get_map_value_bytes(map, name), Ok(None))
}

/// Takes away all of a map; whether that was done.
pub(crate) fn clear(map: MapType) -> bool {
    hostcalls::set_map_bytes(map, Vec::new()).is_ok()
}

/// The body of the request that Envoy holds, up to `most` bytes.
pub(crate) fn held_body(most: usize) -> Option<Vec<u8>> {
    hostcalls::get_buffer(BufferType::HttpRequestBody, 0, most).ok().map(Option::unwrap_or_default)
}

/// Applies edits in their order.
pub(crate) fn apply(map: MapType, edits: &[Edit<'_>]) {
    for edit in edits {
        let done = match edit {
            Edit::Set(name, value) => hostcalls::set_map_value_bytes(map, name, Some(value)),
            Edit::Add(name, value) => hostcalls::add_map_value_bytes(map, name, value),
            Edit::Remove(name) => hostcalls::set_map_value_bytes(map, name, None),
        };
        if done.is_err() {
            log::error!("Envoy refused an edit of a header");
        }
    }
}

/// The address of the caller, as Envoy sees it; `None` on a Unix socket.
pub(crate) fn source_address() -> Option<SocketAddr> {
    let address = hostcalls::get_property(vec!["source", "address"]).ok().flatten()?;
    std::str::from_utf8(&address).ok()?.parse().ok()
}

/// Envoy's clock.
pub(crate) fn now() -> UnixTime {
    let time =
        hostcalls::get_current_time().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    UnixTime(time.and_then(|time| i64::try_from(time.as_secs()).ok()).unwrap_or(i64::MAX))
}

/// Leaves a word for access logs and later filters: `%FILTER_STATE(wasm.NAME:PLAIN)%`.
pub(crate) fn tell(name: &str, value: &str) {
    if hostcalls::set_property(vec![name], Some(value.as_bytes())).is_err() {
        log::error!("Envoy refused filter state");
    }
}
