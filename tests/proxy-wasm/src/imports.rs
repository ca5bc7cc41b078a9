//! The calls of a module, answered.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use wasmtime::Linker;

use crate::host::{Headers, Reply, State};
use crate::memory::{Call, give, map, pairs, read, text, write};
use crate::ways::Answer;

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;

/// Counts a call. What the host says in place of an answer.
fn instead(call: &mut Call<'_>, name: &str) -> Result<Option<u32>> {
    call.data_mut().calls += 1;
    match call.data().ways.instead.get(name) {
        None => Ok(None),
        Some(Answer::Status(status)) => Ok(Some(*status)),
        Some(Answer::Trap) => bail!("{name}: the host traps"),
    }
}

/// Defines a call; the host may have another answer to it.
macro_rules! answers {
    ($linker:ident, $name:ident($($argument:ident: $kind:ty),*) = $with:expr) => {
        $linker.func_wrap(
            "env",
            stringify!($name),
            |mut call: Call<'_>, $($argument: $kind),*| -> Result<u32> {
                match instead(&mut call, stringify!($name))? {
                    Some(status) => Ok(status),
                    None => {
                        let with: fn(&mut Call<'_>, $($kind),*) -> Result<u32> = $with;
                        with(&mut call, $($argument),*)
                    }
                }
            },
        )?
    };
}

pub(crate) fn define(linker: &mut Linker<State>) -> Result<()> {
    wasi(linker)?;
    answers!(linker, proxy_log(level: u32, at: u32, size: u32) = |call, level, at, size| {
        let line = text(call, at, size)?;
        call.data_mut().log.push((level, line));
        Ok(OK)
    });
    answers!(linker, proxy_get_current_time_nanoseconds(at: u32) = |call, at| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let now = call.data().ways.clock.unwrap_or(u64::try_from(now)?);
        write(call, at, &now.to_le_bytes())?;
        Ok(OK)
    });
    answers!(linker, proxy_set_tick_period_milliseconds(_period: u32) = |_, _| Ok(OK));
    answers!(linker, proxy_get_buffer_bytes(buffer: u32, start: u32, most: u32, data: u32, size: u32) =
    |call, buffer, start, most, data, size| {
        let bytes = match buffer {
            0 => call.data().stream.body.clone(),
            7 => call.data().configuration.clone(),
            _ => return Ok(BAD_ARGUMENT),
        };
        let bytes = bytes.get(start as usize..).unwrap_or_default();
        give(call, &bytes[..bytes.len().min(most as usize)], data, size)?;
        Ok(OK)
    });
    headers(linker)?;
    properties(linker)?;
    shared(linker)?;
    answers!(linker, proxy_send_local_response(
    status: u32, _d: u32, _ds: u32, body: u32, body_size: u32, headers: u32, headers_size: u32, _grpc: i32) =
    |call, status, _, _, body, body_size, headers, headers_size, _| {
        let headers = pairs(&read(call, headers, headers_size)?)?;
        let body = read(call, body, body_size)?;
        if call.data().stream.reply.is_some() {
            bail!("local response already stashed");
        }
        let status = u16::try_from(status)?;
        call.data_mut().stream.reply = Some(Reply { status, headers, body });
        Ok(OK)
    });
    answers!(linker, proxy_close_stream(_kind: u32) = |call, _| {
        call.data_mut().stream.is_reset = true;
        Ok(OK)
    });
    answers!(linker, proxy_define_metric(_kind: u32, name: u32, size: u32, id: u32) = |call, _, name, size, id| {
        let name = text(call, name, size)?;
        let number = u32::try_from(call.data().counters.len())?;
        call.data_mut().counters.push((name, 0));
        write(call, id, &number.to_le_bytes())?;
        Ok(OK)
    });
    answers!(linker, proxy_increment_metric(id: u32, by: i64) = |call, id, by| {
        let Some((_, value)) = call.data_mut().counters.get_mut(id as usize) else { return Ok(NOT_FOUND) };
        *value = value.wrapping_add_signed(by);
        Ok(OK)
    });
    answers!(linker, proxy_call_foreign_function(_n: u32, _ns: u32, _a: u32, _as: u32, _d: u32, _ds: u32) =
        |_, _, _, _, _, _, _| Ok(NOT_FOUND));
    answers!(linker, proxy_set_effective_context(_context: u32) = |_, _| Ok(OK));
    Ok(())
}

/// The headers of a map, and the pseudo-headers beside them.
fn listed<'c>(call: &'c mut Call<'_>, kind: u32) -> Option<(&'c mut Headers, Headers)> {
    let stream = &mut call.data_mut().stream;
    match kind {
        0 => Some((&mut stream.request, stream.pseudo.clone())),
        2 => Some((&mut stream.response, Headers::new())),
        _ => None,
    }
}

fn is(name: &str) -> impl Fn(&(String, Vec<u8>)) -> bool {
    move |(known, _)| known.eq_ignore_ascii_case(name)
}

fn headers(linker: &mut Linker<State>) -> Result<()> {
    answers!(linker, proxy_get_header_map_pairs(kind: u32, data: u32, size: u32) = |call, kind, data, size| {
        let ways = call.data().ways.clone();
        let Some((headers, pseudo)) = listed(call, kind) else { return Ok(BAD_ARGUMENT) };
        let mut headers = headers.clone();
        if ways.pseudo_headers_in_map {
            headers.splice(0..0, pseudo);
        } else {
            headers.retain(|(name, _)| !name.starts_with(':'));
        }
        headers.truncate(ways.most_headers.unwrap_or(usize::MAX));
        if ways.lower_case {
            headers.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
        }
        give(call, &ways.garbled_map.unwrap_or(map(&headers)), data, size)?;
        Ok(OK)
    });
    answers!(linker, proxy_get_header_map_value(kind: u32, name: u32, name_size: u32, data: u32, size: u32) =
    |call, kind, name, name_size, data, size| {
        let name = text(call, name, name_size)?;
        let Some((headers, pseudo)) = listed(call, kind) else { return Ok(BAD_ARGUMENT) };
        let found = pseudo.iter().chain(headers.iter()).find(|header| is(&name)(header));
        let Some((_, value)) = found.cloned() else { return Ok(NOT_FOUND) };
        give(call, &value, data, size)?;
        Ok(OK)
    });
    answers!(linker, proxy_add_header_map_value(kind: u32, name: u32, name_size: u32, value: u32, size: u32) =
    |call, kind, name, name_size, value, size| {
        let (name, value) = (text(call, name, name_size)?, read(call, value, size)?);
        let Some((headers, _)) = listed(call, kind) else { return Ok(BAD_ARGUMENT) };
        headers.push((name, value));
        Ok(OK)
    });
    answers!(linker, proxy_replace_header_map_value(kind: u32, name: u32, name_size: u32, value: u32, size: u32) =
    |call, kind, name, name_size, value, size| {
        let (name, value) = (text(call, name, name_size)?, read(call, value, size)?);
        if kind == 0 && let Some(pseudo) = call.data_mut().stream.pseudo.iter_mut().find(|h| is(&name)(h)) {
            pseudo.1 = value;
            return Ok(OK);
        }
        let Some((headers, _)) = listed(call, kind) else { return Ok(BAD_ARGUMENT) };
        headers.retain(|header| !is(&name)(header));
        headers.push((name, value));
        Ok(OK)
    });
    answers!(linker, proxy_remove_header_map_value(kind: u32, name: u32, size: u32) = |call, kind, name, size| {
        let name = text(call, name, size)?;
        let Some((headers, _)) = listed(call, kind) else { return Ok(BAD_ARGUMENT) };
        headers.retain(|header| !is(&name)(header));
        Ok(OK)
    });
    answers!(linker, proxy_set_header_map_pairs(kind: u32, at: u32, size: u32) = |call, kind, at, size| {
        let new = pairs(&read(call, at, size)?)?;
        let Some((headers, _)) = listed(call, kind) else { return Ok(BAD_ARGUMENT) };
        *headers = new;
        Ok(OK)
    });
    Ok(())
}

fn properties(linker: &mut Linker<State>) -> Result<()> {
    answers!(linker, proxy_get_property(path: u32, path_size: u32, data: u32, size: u32) =
    |call, path, path_size, data, size| {
        let path = text(call, path, path_size)?.replace('\0', ".");
        let State { ways, stream, .. } = call.data();
        let value = match (path.as_str(), stream.peer, ways.port_in_address) {
            ("source.address", Some(peer), true) => Some(peer.to_string().into_bytes()),
            ("source.address", Some(peer), false) => Some(peer.ip().to_string().into_bytes()),
            ("source.port", Some(peer), _) => Some(peer.port().to_string().into_bytes()),
            _ => ways.properties.get(&path).or(ways.any_property.as_ref()).cloned(),
        };
        let Some(value) = value else { return Ok(NOT_FOUND) };
        give(call, &value, data, size)?;
        Ok(OK)
    });
    answers!(linker, proxy_set_property(_path: u32, _path_size: u32, _value: u32, _size: u32) =
        |call, _, _, _, _| Ok(if call.data().ways.keeps_properties { OK } else { NOT_FOUND }));
    Ok(())
}

fn shared(linker: &mut Linker<State>) -> Result<()> {
    answers!(linker, proxy_get_shared_data(key: u32, key_size: u32, data: u32, size: u32, version: u32) =
    |call, key, key_size, data, size, version| {
        let key = text(call, key, key_size)?;
        let Some((value, now)) = call.data().shared.get(&key).cloned() else { return Ok(NOT_FOUND) };
        give(call, &value, data, size)?;
        write(call, version, &now.to_le_bytes())?;
        Ok(OK)
    });
    answers!(linker, proxy_set_shared_data(key: u32, key_size: u32, value: u32, size: u32, version: u32) =
    |call, key, key_size, value, size, version| {
        let (key, value) = (text(call, key, key_size)?, read(call, value, size)?);
        let now = call.data().shared.get(&key).map_or(0, |(_, now)| *now);
        if version != 0 && version != now {
            return Ok(CAS_MISMATCH);
        }
        call.data_mut().shared.insert(key, (value, now + 1));
        Ok(OK)
    });
    Ok(())
}

/// What the module wants of WASI: variables, chance, and a place for what it cannot say elsewhere.
fn wasi(linker: &mut Linker<State>) -> Result<()> {
    const WASI: &str = "wasi_snapshot_preview1";
    linker.func_wrap(WASI, "environ_sizes_get", |mut call: Call<'_>, count: u32, size: u32| {
        let all = call.data().environment.clone();
        let bytes: usize = all.iter().map(|pair| pair.len() + 1).sum();
        write(&mut call, count, &u32::try_from(all.len())?.to_le_bytes())?;
        write(&mut call, size, &u32::try_from(bytes)?.to_le_bytes())?;
        anyhow::Ok(0_u32)
    })?;
    linker.func_wrap(WASI, "environ_get", |mut call: Call<'_>, mut places: u32, mut at: u32| {
        for pair in call.data().environment.clone() {
            write(&mut call, places, &at.to_le_bytes())?;
            write(&mut call, at, &[pair.as_bytes(), b"\0"].concat())?;
            (places, at) = (places + 4, at + u32::try_from(pair.len())? + 1);
        }
        anyhow::Ok(0_u32)
    })?;
    linker.func_wrap(WASI, "random_get", |mut call: Call<'_>, at: u32, size: u32| {
        let bytes: Vec<u8> = (0..size).map(|byte| (byte * 37 + 11) as u8).collect();
        write(&mut call, at, &bytes)?;
        anyhow::Ok(0_u32)
    })?;
    linker.func_wrap(WASI, "fd_write", |_: Call<'_>, _: u32, _: u32, _: u32, _: u32| 0_u32)?;
    linker.func_wrap(WASI, "proc_exit", |_: Call<'_>, code: u32| -> Result<()> {
        bail!("the module exits with {code}")
    })?;
    Ok(())
}
