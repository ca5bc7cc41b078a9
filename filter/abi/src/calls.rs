//! The calls, as functions of bytes.

#![allow(unsafe_code, reason = "a host is called by pointers")]

use std::ptr::{null, null_mut, slice_from_raw_parts_mut};

use crate::map::{self, Pairs, Path};
use crate::raw::{
    proxy_add_header_map_value, proxy_call_foreign_function, proxy_close_stream,
    proxy_define_metric, proxy_get_buffer_bytes, proxy_get_current_time_nanoseconds,
    proxy_get_header_map_pairs, proxy_get_header_map_value, proxy_get_property,
    proxy_get_shared_data, proxy_increment_metric, proxy_log, proxy_remove_header_map_value,
    proxy_replace_header_map_value, proxy_send_local_response, proxy_set_effective_context,
    proxy_set_header_map_pairs, proxy_set_property, proxy_set_shared_data,
    proxy_set_tick_period_milliseconds,
};

/// A host's status that is not `Ok`, or an answer that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(u32);

impl Refused {
    /// What was asked for is not there.
    const NOT_FOUND: Self = Self(1);
    /// What the host handed over cannot be read, or what it is to be handed is too large.
    const UNREADABLE: Self = Self(4);
}

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "they are the ABI's")]
pub enum Level {
    Trace = 0,
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
    Critical = 5,
}

/// A map of headers.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "they are the ABI's")]
pub enum Map {
    RequestHeaders = 0,
    RequestTrailers = 1,
    ResponseHeaders = 2,
}

/// A buffer of bytes.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "they are the ABI's")]
pub enum Buffer {
    RequestBody = 0,
    PluginConfiguration = 7,
}

fn done(status: u32) -> Result<(), Refused> {
    if status == 0 { Ok(()) } else { Err(Refused(status)) }
}

/// What a host hands over: bytes that it asked the module's own allocator for (`proxy_on_memory_allocate`), which
/// are the module's to free.
fn taken(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, Refused> {
    let (mut data, mut size) = (null_mut(), 0);
    done(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the SDK's allocator made these bytes of a boxed slice of this size, and nobody else has them.
    Ok(unsafe { Box::from_raw(slice_from_raw_parts_mut(data, size)) }.into_vec())
}

/// The same, where there may be nothing.
fn found(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Option<Vec<u8>>, Refused> {
    match taken(call) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Refused::NOT_FOUND) => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// Writes a line into the host's log. A host that refuses it has no other place to be told.
pub fn log(level: Level, text: &str) {
    // SAFETY: the text lives through the call.
    unsafe { proxy_log(level as u32, text.as_ptr(), text.len()) };
}

/// The host's clock, in nanoseconds since 1970.
pub fn now() -> Result<u64, Refused> {
    let mut time = 0;
    // SAFETY: the host writes one number.
    done(unsafe { proxy_get_current_time_nanoseconds(&raw mut time) })?;
    Ok(time)
}

/// Has the host call `on_tick` of this root context as often.
pub fn tick_every(milliseconds: u32) -> Result<(), Refused> {
    // SAFETY: no pointer crosses.
    done(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

/// Makes the calls that follow, within this callback, those of another context.
pub fn turn_to(context: u32) -> Result<(), Refused> {
    // SAFETY: no pointer crosses.
    done(unsafe { proxy_set_effective_context(context) })
}

/// A buffer from its beginning, `most` bytes of it; none where there is no such buffer.
pub fn buffer(buffer: Buffer, most: usize) -> Result<Vec<u8>, Refused> {
    // SAFETY: the host writes a pointer and a size.
    let bytes =
        found(|data, size| unsafe { proxy_get_buffer_bytes(buffer as u32, 0, most, data, size) });
    Ok(bytes?.unwrap_or_default())
}

/// All headers of a map, in their order.
pub fn headers(map: Map) -> Result<Pairs, Refused> {
    // SAFETY: the host writes a pointer and a size.
    let bytes = taken(|data, size| unsafe { proxy_get_header_map_pairs(map as u32, data, size) })?;
    map::read(&bytes).ok_or(Refused::UNREADABLE)
}

/// Takes away all of a map.
pub fn clear(map: Map) -> Result<(), Refused> {
    let none = map::written(&[]).ok_or(Refused::UNREADABLE)?;
    // SAFETY: the bytes live through the call.
    done(unsafe { proxy_set_header_map_pairs(map as u32, none.as_ptr(), none.len()) })
}

/// The value of a header, where it is there; of several one.
pub fn header(map: Map, name: &str) -> Result<Option<Vec<u8>>, Refused> {
    // SAFETY: the name lives through the call, and the host writes a pointer and a size.
    found(|data, size| unsafe {
        proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, size)
    })
}

/// Adds a header to those of its name.
pub fn add_header(map: Map, name: &str, value: &[u8]) -> Result<(), Refused> {
    // SAFETY: name and value live through the call.
    done(unsafe {
        proxy_add_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// Puts a header in the place of all of its name.
pub fn set_header(map: Map, name: &str, value: &[u8]) -> Result<(), Refused> {
    // SAFETY: name and value live through the call.
    done(unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// Takes away all headers of a name.
pub fn remove_header(map: Map, name: &str) -> Result<(), Refused> {
    // SAFETY: the name lives through the call.
    done(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// What the host knows under a path, where it knows anything.
pub fn property(path: Path<'_>) -> Result<Option<Vec<u8>>, Refused> {
    let path = map::joined(path);
    // SAFETY: the path lives through the call, and the host writes a pointer and a size.
    found(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Leaves a word under a path.
pub fn set_property(path: Path<'_>, value: &[u8]) -> Result<(), Refused> {
    let path = map::joined(path);
    // SAFETY: path and value live through the call.
    done(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

/// A value that the host's workers share, and its version; `None` where there never was one.
pub fn shared(key: &str) -> Result<Option<(Vec<u8>, u32)>, Refused> {
    let mut version = 0;
    // SAFETY: the key lives through the call; the host writes a pointer, a size and a number.
    let value = found(|data, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut version)
    })?;
    Ok(value.map(|value| (value, version)))
}

/// Shares a value, unless another one came after `version`. With 0 it is shared in any case.
pub fn set_shared(key: &str, value: &[u8], version: u32) -> Result<(), Refused> {
    // SAFETY: key and value live through the call.
    done(unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version)
    })
}

/// Answers the request.
pub fn respond(status: u32, headers: &[(&str, &str)], body: &[u8]) -> Result<(), Refused> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let headers = map::written(&headers).ok_or(Refused::UNREADABLE)?;
    // SAFETY: headers and body live through the call.
    done(unsafe {
        proxy_send_local_response(
            status,
            null(),
            0,
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    })
}

/// Ends the request's stream, whatever was answered.
pub fn reset_request() -> Result<(), Refused> {
    // SAFETY: no pointer crosses. 0 is the request's stream.
    done(unsafe { proxy_close_stream(0) })
}

/// A counter of this name, by the host's number.
pub fn define_counter(name: &str) -> Result<u32, Refused> {
    let mut id = 0;
    // SAFETY: the name lives through the call, and the host writes a number. 0 is a counter.
    done(unsafe { proxy_define_metric(0, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

/// Adds one to a counter.
pub fn increment(counter: u32) -> Result<(), Refused> {
    // SAFETY: no pointer crosses.
    done(unsafe { proxy_increment_metric(counter, 1) })
}

/// Calls a function that the host has beside the ABI's. Some hosts trap where they have none of this name.
pub fn call(name: &str, arguments: &[u8]) -> Result<Vec<u8>, Refused> {
    // SAFETY: name and arguments live through the call, and the host writes a pointer and a size.
    taken(|data, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            data,
            size,
        )
    })
}
